/// One cell of a ``TokenGrid``, with zero-based coordinates.
public struct GridCell: Hashable, Sendable {
  /// The frame; 0 for images.
  public var frame: Int
  /// The row, from the top.
  public var row: Int
  /// The column, from the left.
  public var column: Int
  /// Whether the cell was taken from a grid of several frames, so that the frame is printed even if it is 0; of no account
  /// for equality.
  var isOfVideo = false

  /// Makes a cell from its coordinates.
  public init(frame: Int = 0, row: Int, column: Int) {
    self.frame = frame
    self.row = row
    self.column = column
  }
}

extension GridCell {
  /// Whether the coordinates are the same.
  public static func == (a: GridCell, b: GridCell) -> Bool {
    (a.frame, a.row, a.column) == (b.frame, b.row, b.column)
  }

  /// Hashes the coordinates.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(frame)
    hasher.combine(row)
    hasher.combine(column)
  }
}

extension GridCell: LosslessStringConvertible {
  /// Reads `row,column` or `frame,row,column`; nil for anything else.
  ///
  /// Whether the cell lies on a grid is for ``TokenGrid/contains(_:)`` to say.
  public init?(_ description: String) {
    let parts = description.split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0.filter { $0 != " " }) }
    let numbers = parts.compactMap(\.self)
    guard numbers.count == parts.count else { return nil }
    switch numbers.count {
    case 2: self.init(row: numbers[0], column: numbers[1])
    case 3: self.init(frame: numbers[0], row: numbers[1], column: numbers[2])
    default: return nil
    }
  }

  /// `(row, column)` on a grid of images, `(frame, row, column)` on one of video, whatever the frame.
  public func description(on grid: TokenGrid) -> String {
    grid.isVideo ? "(\(frame), \(row), \(column))" : description
  }

  /// `(row, column)`, preceded by the frame where there are several.
  public var description: String {
    frame == 0 && !isOfVideo ? "(\(row), \(column))" : "(\(frame), \(row), \(column))"
  }
}
