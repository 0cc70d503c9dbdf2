import Foundation
import TokenGrids

/// A number that is `null` in JSON when it is not finite.
package struct JSONNumber: Encodable {
  package let value: Double?

  package init(_ value: Double?) { self.value = value }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value, value.isFinite { try container.encode(value) } else { try container.encodeNil() }
  }
}

extension JSONNumber {
  /// Four significant digits, or a dash.
  package var text: String { value.map { $0.significant(4) } ?? "-" }

  /// The number with its error; a dash for none.
  package func text(_ error: JSONNumber) -> String {
    guard let value, let error = error.value else { return text }
    return "\(value.significant(4)) ± \(error.significant(2))"
  }
}

/// One value per cell, nested as the grid is: rows of columns, and frames of those for video.
package struct JSONGrid<Element: Encodable>: Encodable {
  package let grid: TokenGrid
  /// By raster index.
  package let values: [Element]

  package init(grid: TokenGrid, values: [Element]) {
    self.grid = grid
    self.values = values
  }

  package func encode(to encoder: any Encoder) throws {
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
  package init(_ grid: TokenGrid, _ values: some Sequence<Double?>) {
    self.init(grid: grid, values: values.map(JSONNumber.init))
  }
}

extension TokenGrid {
  /// `[H, W]`, or `[T, H, W]` for video.
  package var jsonExtents: [Int] { isVideo ? [frames, rows, columns] : [rows, columns] }

  /// `[row, column]`, or `[frame, row, column]` on a video's grid.
  package func jsonCoordinates(of cell: GridCell) -> [Int] {
    isVideo ? [cell.frame, cell.row, cell.column] : [cell.row, cell.column]
  }
}

/// The version of the fields that results have as JSON: raised when one is removed, renamed or changes its meaning.
package let jsonSchemaVersion = 1

/// How everything is written as JSON: names of properties in snake_case, in the order of the alphabet, so that the same result
/// is the same bytes. Names that are keys of a dictionary stay as they are.
package func makeJSONEncoder(_ formatting: JSONEncoder.OutputFormatting = []) -> JSONEncoder {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
  return encoder
}

/// A result with the version of its fields.
package struct VersionedResult<Result: Encodable>: Encodable {
  package let result: Result

  package init(_ result: Result) { self.result = result }

  private enum CodingKeys: CodingKey { case schemaVersion }

  package func encode(to encoder: any Encoder) throws {
    try result.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(jsonSchemaVersion, forKey: .schemaVersion)
  }
}

/// Prints a result as JSON; see ``makeJSONEncoder(_:)``.
package func printJSON(_ result: some Encodable) throws {
  let data = try makeJSONEncoder().encode(VersionedResult(result))
  try printText(String(decoding: data, as: UTF8.self))
}

extension String {
  /// The text as a field of comma-separated values, in quotes where it needs them.
  package var csvField: String {
    contains { ",\"\n\r".contains($0) }
      ? "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\"" : self
  }
}

extension Double {
  /// The number as a field of comma-separated values: empty when it is not finite.
  package var csvField: String { isFinite ? "\(self)" : "" }
}
