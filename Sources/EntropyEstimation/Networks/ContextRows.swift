import LinearAlgebra
import TokenGrids

/// The predictions that an order asks for, and what a network sees of the context of each: for every token one from all
/// tokens before it, and one from the earlier steps where those are fewer.
///
/// Every prediction has an input row of the same layout, so that one network serves all: the tokens in a window about the
/// target as far as any context has them, zero where they are not in this one, a mask of which are, and the target's place
/// in the grid. What the window cuts off makes the context smaller, which cannot lower an entropy.
struct ContextRows: Sendable {
  /// Rows and columns to each side of the target that the network sees.
  static let reach = 2
  /// Frames to each side that it sees.
  static let frameReach = 1

  /// n.
  let tokens: Int
  /// The row of each position's parallel prediction; sequential ones come first, by position, and the first token of a step
  /// has only that.
  let parallelRows: [Int]
  /// The position in the sequence that each row predicts.
  let positions: [Int]
  /// Makes the input rows from images whose tokens stand in the order's sequence.
  let inputs: BlockGather

  /// The rows of an order with tokens of d channels.
  ///
  /// - Complexity: O(n · window).
  init(_ order: GenerationOrder, channels d: Int) {
    let grid = order.grid
    let sequence = order.sequence
    var place = [Int](repeating: 0, count: sequence.count)
    for (position, cell) in sequence.enumerated() { place[cell] = position }
    var starts: [Int] = []
    for step in order.steps {
      let first = starts.count
      starts += step.map { _ in first }
    }
    let frames = grid.isVideo ? Self.frameReach : 0
    var offsets: [(frame: Int, row: Int, column: Int)] = []
    for frame in -frames...frames {
      for row in -Self.reach...Self.reach {
        for column in -Self.reach...Self.reach where (frame, row, column) != (0, 0, 0) {
          offsets.append((frame, row, column))
        }
      }
    }
    var positions = Array(sequence.indices)
    var ends = positions
    var parallelRows = positions
    for position in sequence.indices where starts[position] < position {
      parallelRows[position] = positions.count
      positions.append(position)
      ends.append(starts[position])
    }
    /// The position of the token at an offset from a row's target, where it is in the row's context.
    func seen(_ offset: (frame: Int, row: Int, column: Int), by row: Int) -> Int? {
      let target = grid.cell(at: sequence[positions[row]])
      let cell = GridCell(
        frame: target.frame + offset.frame, row: target.row + offset.row,
        column: target.column + offset.column)
      guard grid.contains(cell) else { return nil }
      let other = place[grid.index(of: cell)]
      return other < ends[row] ? other : nil
    }
    // What no row ever sees would be zero in all: half of the window in raster order.
    offsets.removeAll { offset in
      !positions.indices.contains { seen(offset, by: $0) != nil }
    }
    let columns = offsets.count * (d + 1) + 3
    var template = FloatMatrix(rows: positions.count, columns: columns)
    var copies: [(block: Int, row: Int, column: Int)] = []
    func centred(_ index: Int, of count: Int) -> Float {
      count > 1 ? 2 * Float(index) / Float(count - 1) - 1 : 0
    }
    for (row, position) in positions.enumerated() {
      let target = grid.cell(at: sequence[position])
      template[row, columns - 3] = centred(target.row, of: grid.rows)
      template[row, columns - 2] = centred(target.column, of: grid.columns)
      template[row, columns - 1] = centred(target.frame, of: grid.frames)
      for (index, offset) in offsets.enumerated() {
        guard let other = seen(offset, by: row) else { continue }
        copies.append((other, row, index * d))
        template[row, offsets.count * d + index] = 1
      }
    }
    tokens = sequence.count
    self.parallelRows = parallelRows
    self.positions = positions
    inputs = BlockGather(blockSize: d, template: template, copies: copies)
  }

  /// The predictions of an image.
  var count: Int { positions.count }
}
