import Reporting
import Statistics
import Testing

@Test func columnsAreAligned() {
  var table = TextTable("name", "value")
  table.add(["a", "1"])
  table.add(["longer", "100"])
  #expect(table.text == "name    value\na           1\nlonger    100")
}

@Test(arguments: [
  (1.23456, 0.0312, "1.235 ± 0.031"), (296.531, 0.28, "296.53 ± 0.28"), (5, 0, "5.00"),
  (1000, 120, "1000.00 ± 120.00"), (-0.00012, 0.000034, "-0.000120 ± 0.000034"),
])
func errorsDecideTheDigitsOfEstimates(value: Double, error: Double, text: String) {
  #expect(Estimate(value: value, standardError: error).text() == text)
}

@Test func numbersAreGrouped() {
  #expect(
    [0, 999, 1000, 1_234_567, -4000].map(\.grouped) == ["0", "999", "1,000", "1,234,567", "-4,000"])
}
