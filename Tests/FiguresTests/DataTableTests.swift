import Testing

@testable import Figures

@Test func tableHasProvenanceColumnsAndBlocks() {
  let table = DataTable(
    columns: ["x", "y"],
    blocks: [
      .init(comment: "first", rows: [[0, -1.5], [1, .nan]]),
      .init(comment: "second\\", rows: [[2, .infinity]]),
    ])
  #expect(
    table.text(provenance: ["made by hand", "seed 1"]) == """
      # made by hand
      # seed 1
      # columns: x y
      # index 0: first
      0 -1.5
      1 NaN


      # index 1: second\\\u{20}
      2 NaN

      """)
}

@Test(arguments: [0.1, -6.507893640817141, 1e-300, 3, 123_456_789, 1e300])
func numbersKeepAllDigits(value: Double) {
  #expect(Double(DataTable.number(value)) == value)
}

/// What two processors disagree on is beyond the fifth digit of a column's largest number.
@Test func dataAreRoundedByTheirColumn() {
  let table = DataTable(
    columns: ["step", "value", "error"],
    blocks: [
      .init(
        comment: "",
        rows: [[1, 277.7412345, 1.5e-7], [147, -0.00123, 3e-7], [12345678, .nan, 0]])
    ])
  let lines = table.text(provenance: []).split(separator: "\n").suffix(3)
  #expect(Array(lines) == ["1 277.74 1.5e-07", "147 0 3e-07", "12345678 NaN 0"])
}

@Test(arguments: [
  (1.4351234, "1.4351"), (-7.391999, "-7.392"), (0.00002, "2e-05"), (123456.7, "123457"),
  (2.5, "2.5"), (0, "0"), (.leastNonzeroMagnitude, "5e-324"), (1e300, "1e+300"),
])
func singleNumbersAreRoundedByThemselves(value: Double, text: String) {
  #expect(DataTable.rounded(value) == text)
}
