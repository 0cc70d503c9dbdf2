/// The grid of cells that the tokens of one image or video stand on: T × H × W, with T = 1 for images.
///
/// Cells are numbered in raster order, frame by frame: `(frame · H + row) · W + column`, from zero.
public struct TokenGrid: Hashable, Sendable {
  /// T, the number of frames; 1 for images.
  public let frames: Int
  /// H, the number of rows in a frame.
  public let rows: Int
  /// W, the number of columns in a frame.
  public let columns: Int

  /// Makes a grid of `frames` × `rows` × `columns` cells.
  ///
  /// - Precondition: every extent is at least 1.
  public init(frames: Int = 1, rows: Int, columns: Int) {
    precondition(frames > 0 && rows > 0 && columns > 0, "a grid has at least one cell")
    self.frames = frames
    self.rows = rows
    self.columns = columns
  }

  /// N = T·H·W, the number of tokens.
  public var cellCount: Int { frames * rows * columns }

  /// All cells in raster order.
  public var rasterCells: [GridCell] { (0..<cellCount).map(cell(at:)) }

  /// Whether the grid has more than one frame.
  public var isVideo: Bool { frames > 1 }

  /// Whether `cell` lies on the grid.
  public func contains(_ cell: GridCell) -> Bool {
    (0..<frames).contains(cell.frame) && (0..<rows).contains(cell.row)
      && (0..<columns).contains(cell.column)
  }

  /// The raster index of `cell`.
  ///
  /// - Precondition: the cell lies on the grid.
  public func index(of cell: GridCell) -> Int {
    precondition(contains(cell), "\(cell) is outside the grid \(self)")
    return (cell.frame * rows + cell.row) * columns + cell.column
  }

  /// The cell whose raster index is `index`.
  ///
  /// - Precondition: `0 ≤ index < cellCount`.
  public func cell(at index: Int) -> GridCell {
    precondition((0..<cellCount).contains(index), "cell \(index) is outside the grid \(self)")
    var cell = GridCell(
      frame: index / (rows * columns), row: index / columns % rows, column: index % columns)
    cell.isOfVideo = isVideo
    return cell
  }
}

extension TokenGrid: LosslessStringConvertible {
  /// The largest extent that is read from text; it keeps the product of three within an `Int`.
  static let largestExtent = 1 << 16

  /// The most cells that are read from text: more than the tokens of any image or video, and little enough to keep a number
  /// or two for each.
  static let mostCells = 1 << 24
  /// What a grid's text must be, for messages.
  public static let expectedText =
    "HxW or TxHxW of at most \(mostCells) cells, as in 24x24 or 5x16x16"

  /// Reads `HxW` or `TxHxW`, as in `24x24` and `5x16x16`; nil for anything else.
  public init?(_ description: String) {
    let parts = description.split(separator: "x", omittingEmptySubsequences: false)
      .map { Int($0) ?? 0 }
    guard parts.allSatisfy({ (1...Self.largestExtent).contains($0) }), parts.count <= 3,
      parts.reduce(1, *) <= Self.mostCells
    else { return nil }
    switch parts.count {
    case 2: self.init(rows: parts[0], columns: parts[1])
    case 3: self.init(frames: parts[0], rows: parts[1], columns: parts[2])
    default: return nil
    }
  }

  /// `HxW` for images, `TxHxW` for video.
  public var description: String {
    isVideo ? "\(frames)x\(rows)x\(columns)" : "\(rows)x\(columns)"
  }
}
