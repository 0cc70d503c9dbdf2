import Testing

@testable import Figures

@Test(arguments: [
  (0, "0"), (999, "999"), (1000, "1,000"), (-12_345_678, "-12,345,678"),
])
func thousandsAreGrouped(number: Int, text: String) {
  #expect(NumberText.grouped(number) == text)
}

@Test(arguments: [
  (0.0, "0"), (1.23456, "1.23"), (-0.000123456, "-0.000123"), (1234.5, "1,235"), (999.4, "999"),
  (.nan, "n/a"), (-.infinity, "n/a"),
])
func numbersAreRounded(value: Double, text: String) {
  #expect(NumberText.rounded(value) == text)
}

@Test(arguments: [
  (15.5314, 0.213, "15.53 ± 0.21"), (388.1, 5, "388.1 ± 5.0"), (1234.5, 120, "1234 ± 120"),
  (0.00123, 0.0004, "0.00123 ± 0.00040"),
])
func errorsDecideTheDigits(value: Double, error: Double, text: String) {
  #expect(NumberText.rounded(value, error: error) == text)
}

@Test(arguments: [nil, .nan, 0, -1])
func withoutAnErrorTheValueStandsAlone(error: Double?) {
  #expect(NumberText.rounded(1.5, error: error) == "1.5")
}
