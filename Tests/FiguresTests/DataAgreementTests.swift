import Foundation
import Testing

@testable import Figures

private let text = """
  # made by hand
  # columns: step value
  # index 0: first
  1 277.74
  147 NaN


  # index 1: second
  2 0.03

  """

@Test(arguments: [
  (text, true), (text.replacing("277.74", with: "277.75"), true),
  // A millionth of the column's largest, and a unit of the fifth digit of the block's.
  (text.replacing("0.03", with: "0.03027"), true),
  (text.replacing("0.03", with: "0.0304"), false),
  (text.replacing("277.74", with: "277.79"), false), (text.replacing("NaN", with: "0"), false),
  (text.replacing("NaN", with: "x"), false), (text.replacing("147 NaN\n", with: ""), false),
  (text.replacing("hand", with: "foot"), false), (text.replacing("2 0.03", with: "3 0.03"), false),
  (text + "5 1\n", false), (text.replacing(" NaN", with: ""), false),
])
func dataAgreeUpToTheirLastDigit(other: String, agrees: Bool) {
  #expect(DataTable.agree(text, other) == agrees)
  #expect(DataTable.agree(other, text) == agrees)
}

/// Drawn again with numbers as another processor has them, a figure's files stay as they are.
@Test func dataThatAgreeAreKept() throws {
  func figure(_ value: Double) -> CurveFigure {
    .totalIncrease(
      name: "totals", curves: [.init("raster", [.init(10, value, error: 0.25), .init(20, 1)])],
      unit: "nats", caption: testCaption)
  }
  try withTemporaryFolder { folder in
    let writer = FigureWriter(directory: folder, provenance: ["a"], gnuplot: nil)
    func files(_ value: Double) throws -> [String] {
      _ = try writer.write(figure(value))
      return try names(in: folder).map { try text(of: folder.appendingPathComponent($0)) }
    }
    // On either side of a rounding's middle.
    let first = try files(2.345649999)
    #expect(first.joined().contains("10 2.3456 "))
    #expect(try files(2.345650001) == first)
    let other = try files(2.3459)
    #expect(other != first && other.joined().contains("10 2.3459 "))
  }
}
