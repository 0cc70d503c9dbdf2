import Files
import Foundation

/// The two forms of an order file.
enum OrderFileFormat: CaseIterable {
  case table, json

  /// The extensions that stand for the form, in lower case.
  var extensions: [String] {
    switch self {
    case .table: ["txt", "csv"]
    case .json: ["json"]
    }
  }

  /// The form that the file's extension stands for, or nil for any other extension.
  init?(path: String) {
    let suffix = (path as NSString).pathExtension.lowercased()
    guard let format = Self.allCases.first(where: { $0.extensions.contains(suffix) }) else {
      return nil
    }
    self = format
  }
}

extension GenerationOrder {
  /// Reads an order file: `.txt` and `.csv` hold a table of step numbers, `.json` lists the cells of each step.
  ///
  /// A table has one line of text for each row of the grid, whole numbers from 0 separated by blanks, tabs, commas
  /// or semicolons, and blank lines between the frames of a video; cells with equal numbers are one step, in raster
  /// order, and the steps are ranked by number, whatever the first number and the gaps. JSON is
  /// `{"grid": [H, W], "steps": [[[row, column], …], …]}`, `[T, H, W]` and `[frame, row, column]` for video, and
  /// keeps the listed order within a step; its steps alone, `[[[row, column], …], …]`, and lists of step numbers are read too,
  /// as is a `.npy` array of step numbers. A file with any other extension is JSON if it begins with `{` or `[`. The order
  /// is named after the file, which may be a pipe.
  ///
  /// - Throws: ``OrderFileError`` that names the file, the line and the column, what was found and what was expected.
  /// - Complexity: O(bytes + N log N).
  public init(contentsOfFile path: String, grid: TokenGrid) throws(OrderFileError) {
    let name = (path as NSString).lastPathComponent
    let bytes = try Self.bytes(ofFile: path)
    if OrderArray.isNpy(bytes) {
      self.init(
        uncheckedName: name, grid: grid,
        steps: try OrderArray.steps(npy: bytes, file: path, on: grid))
      return
    }
    let text = try OrderText(file: path, bytes: bytes)
    let first = text.bytes.first { !OrderText.isBlank($0) && !OrderText.isLineEnd($0) }
    let startsAsJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    let steps =
      switch OrderFileFormat(path: path) ?? (startsAsJSON ? .json : .table) {
      case .table: try OrderTable.steps(in: text, on: grid)
      case .json: try OrderJSON.steps(in: text, on: grid)
      }
    self.init(uncheckedName: name, grid: grid, steps: steps)
  }

  /// The step numbers from 1 as an aligned table, as ``init(contentsOfFile:grid:)`` reads them from `.txt`.
  ///
  /// A table does not tell the order of the cells within a step; they come back in raster order.
  public var tableText: String { OrderTable.text(of: self) }

  /// The order as JSON, one step to a line, as ``init(contentsOfFile:grid:)`` reads it from `.json`.
  public var jsonText: String { OrderJSON.text(of: self) }

  /// Reads an order from JSON as ``jsonText`` writes it, for instance out of a model's metadata.
  ///
  /// - Throws: ``OrderFileError`` that names the order and the place in its text.
  /// - Complexity: O(bytes + N log N).
  public init(jsonText: String, grid: TokenGrid, name: String) throws(OrderFileError) {
    let text = try OrderText(file: name, bytes: Array(jsonText.utf8))
    self.init(uncheckedName: name, grid: grid, steps: try OrderJSON.steps(in: text, on: grid))
  }

  /// Writes the order beside the final name and renames it: `.txt` and `.csv` as a table, `.json` as JSON.
  ///
  /// - Throws: ``OrderFileError`` when the extension is another one or the file cannot be written.
  public func write(toFile path: String) throws(OrderFileError) {
    guard let format = OrderFileFormat(path: path) else {
      throw .unusable(file: path, reason: "the name of an order file ends in .txt, .csv or .json")
    }
    let text =
      switch format {
      case .table where path.lowercased().hasSuffix(".csv"):
        OrderTable.text(of: self, separator: ",")
      case .table: OrderTable.text(of: self)
      case .json: jsonText
      }
    do throws(FileError) {
      let output = try OutputFile(path: path)
      try output.write(Data(text.utf8))
      try output.commit()
    } catch {
      throw .unusable(file: path, reason: "the file cannot be written: \(error.reason)")
    }
  }

  /// The most bytes of an order file: some for each of ten million cells.
  private static var largestFile: Int { 1 << 28 }

  private static func bytes(ofFile path: String) throws(OrderFileError) -> [UInt8] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .unusable(file: path, reason: "there is no such file")
    }
    guard !isFolder.boolValue else {
      throw .unusable(file: path, reason: "this is a folder, not an order file")
    }
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw .unusable(file: path, reason: "the file cannot be read")
    }
    defer { try? file.close() }
    var bytes: [UInt8] = []
    // Read piece by piece, so that pipes are read to their end, and what has none is noticed.
    do {
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
        bytes += piece
        guard bytes.count <= largestFile else {
          throw OrderFileError.unusable(
            file: path, reason: "more than \(largestFile) bytes; this is no order file")
        }
      }
    } catch {
      throw (error as? OrderFileError)
        ?? .unusable(file: path, reason: "the file cannot be read: it is no file or pipe with text")
    }
    return bytes
  }
}
