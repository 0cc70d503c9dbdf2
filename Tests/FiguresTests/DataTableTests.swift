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
