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
  /// Reads an order file.
  ///
  /// `.txt` and `.csv` hold a table of step numbers: one line of text for each row of the grid, whole numbers from 0
  /// separated by blanks, tabs, commas or semicolons, and blank lines between the frames of a video; cells with equal
  /// numbers are one step, in raster order, and the steps are ranked by number, whatever the first number and the gaps.
  ///
  /// `.json` holds steps, `{"grid": [H, W], "steps": [[[row, column], …], …]}`, `[T, H, W]` and `[frame, row, column]` for
  /// video, or with raster indices instead of cells; a sequence of raster indices with the sizes of its groups,
  /// `{"sequence": […], "group_sizes": […]}`, or several, `{"orders": [[…], …], "group_sizes": […]}`, of which `index`
  /// picks one; or lists alone. One list of N numbers is a sequence if they are 0 to N − 1 in any order, and step numbers
  /// otherwise; lists of N numbers each are several sequences; lists in the shape of the grid are step numbers, and other
  /// lists are steps. Without group sizes the steps of a sequence have one cell each.
  ///
  /// A `.npy` array of whole numbers has the grid's shape and holds step numbers, or is one list. A file with any other
  /// extension is JSON if it begins with `{` or `[`. The order is named after the file, which may be a pipe.
  ///
  /// - Parameter index: which of several orders, from 0.
  /// - Throws: ``OrderFileError`` that names the file, the line and the column, what was found and what was expected.
  /// - Complexity: O(bytes + N log N).
  public init(
    contentsOfFile path: String, grid: TokenGrid, index: Int = 0
  ) throws(OrderFileError) {
    try self.init(
      bytes: Self.bytes(ofFile: path), file: path, name: (path as NSString).lastPathComponent,
      grid: grid, index: index)
  }

  /// Reads the order of a file or of standard input.
  init(contentsOf place: OrderFilePlace, name: String, grid: TokenGrid) throws(OrderFileError) {
    let (bytes, file) = try Self.contents(of: place)
    try self.init(bytes: bytes, file: file, name: name, grid: grid, index: place.index ?? 0)
  }

  private init(
    bytes: [UInt8], file: String, name: String, grid: TokenGrid, index: Int
  ) throws(OrderFileError) {
    self.init(
      uncheckedName: name, grid: grid,
      steps: try OrderLists(file: file, grid: grid)
        .chosen(index, of: Self.orders(in: bytes, file: file, grid: grid)))
  }

  /// Reads all orders of a file or of standard input, named after it and, where there are several, `#0`, `#1`, ….
  static func all(
    in place: OrderFilePlace, name: String, grid: TokenGrid
  ) throws(OrderFileError) -> [GenerationOrder] {
    let (bytes, file) = try contents(of: place)
    let orders = try orders(in: bytes, file: file, grid: grid)
    guard !orders.isEmpty else {
      throw .unusable(file: file, reason: "there is no order in it")
    }
    return orders.enumerated().map { index, steps in
      GenerationOrder(
        uncheckedName: orders.count == 1 ? name : "\(name)#\(index)", grid: grid, steps: steps)
    }
  }

  private static func contents(
    of place: OrderFilePlace
  ) throws(OrderFileError) -> (bytes: [UInt8], file: String) {
    try place.isStandardInput
      ? (bytes(of: .standardInput, named: "standard input"), "standard input")
      : (bytes(ofFile: place.path), place.path)
  }

  private static func orders(
    in bytes: [UInt8], file: String, grid: TokenGrid
  ) throws(OrderFileError) -> [[[Int]]] {
    if NpyIntegers.isNpy(bytes) {
      return [try NpyIntegers(bytes, file: file).steps(on: grid, file: file)]
    }
    let text = try OrderText(file: file, bytes: bytes)
    let first = text.bytes.first { !OrderText.isBlank($0) && !OrderText.isLineEnd($0) }
    let startsAsJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    switch OrderFileFormat(path: file) ?? (startsAsJSON ? .json : .table) {
    case .table: return [try OrderTable.steps(in: text, on: grid)]
    case .json: return try OrderJSON.orders(in: text, on: grid)
    }
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

  static func bytes(ofFile path: String) throws(OrderFileError) -> [UInt8] {
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
    return try bytes(of: file, named: path)
  }

  private static func bytes(
    of file: FileHandle, named path: String
  ) throws(OrderFileError) -> [UInt8] {
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
