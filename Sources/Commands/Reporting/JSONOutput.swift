import Foundation
import TokenGrids

/// A number that is `null` in JSON when it is not finite.
struct JSONNumber: Encodable {
  let value: Double?

  init(_ value: Double?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value, value.isFinite { try container.encode(value) } else { try container.encodeNil() }
  }
}

/// One value per cell, nested as the grid is: rows of columns, and frames of those for video.
struct JSONGrid<Element: Encodable>: Encodable {
  let grid: TokenGrid
  /// By raster index.
  let values: [Element]

  func encode(to encoder: any Encoder) throws {
    let rows = stride(from: 0, to: values.count, by: grid.columns).map {
      Array(values[$0..<$0 + grid.columns])
    }
    if grid.isVideo {
      try stride(from: 0, to: rows.count, by: grid.rows).map { Array(rows[$0..<$0 + grid.rows]) }
        .encode(to: encoder)
    } else {
      try rows.encode(to: encoder)
    }
  }
}

extension JSONGrid where Element == JSONNumber {
  init(_ grid: TokenGrid, _ values: some Sequence<Double?>) {
    self.init(grid: grid, values: values.map(JSONNumber.init))
  }
}

extension TokenGrid {
  /// `[H, W]`, or `[T, H, W]` for video.
  var jsonExtents: [Int] { isVideo ? [frames, rows, columns] : [rows, columns] }

  /// `[row, column]`, or `[frame, row, column]` on a video's grid.
  func jsonCoordinates(of cell: GridCell) -> [Int] {
    isVideo ? [cell.frame, cell.row, cell.column] : [cell.row, cell.column]
  }

  /// The headings of the coordinates in comma-separated values.
  var csvHeadings: String { isVideo ? "frame,row,column" : "row,column" }

  /// The coordinates of a cell in comma-separated values.
  func csvCoordinates(of cell: GridCell) -> String {
    jsonCoordinates(of: cell).map(String.init).joined(separator: ",")
  }
}

/// Prints a result as JSON with sorted keys, so that the same result is the same bytes.
func printJSON(_ result: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  try printText(String(decoding: try encoder.encode(result), as: UTF8.self))
}

extension String {
  /// The text as a field of comma-separated values, in quotes where it needs them.
  var csvField: String {
    contains { ",\"\n\r".contains($0) }
      ? "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\"" : self
  }
}

extension Double {
  /// The number as a field of comma-separated values: empty when it is not finite.
  var csvField: String { isFinite ? "\(self)" : "" }
}
