/// An order of generation: an ordered partition of a token grid into steps.
///
/// The cells of one step are generated together, each without seeing the others; the listed order within a step is
/// the order a purely sequential model would take them in. Entropy sets, attention masks, rotary tables, sampler
/// steps and figures all derive from this one value. (PAR, section 3.2 and supplement D.2.)
public struct GenerationOrder: Hashable, Sendable {
  /// What the order is called in tables and figures, as the user wrote it.
  public let name: String
  /// The grid whose cells the order visits.
  public let grid: TokenGrid
  /// The raster indices of the cells generated in each step; every cell of the grid exactly once, no step empty.
  public let steps: [[Int]]

  /// Makes an order after checking that its steps are a partition of the grid.
  ///
  /// - Throws: ``GenerationOrderError`` that names the first cell left out, repeated or outside the grid, or the
  ///   empty step.
  /// - Complexity: O(N).
  public init(name: String, grid: TokenGrid, steps: [[Int]]) throws(GenerationOrderError) {
    var stepOfCell = [Int](repeating: 0, count: grid.cellCount)
    for (step, cells) in steps.enumerated() {
      guard !cells.isEmpty else { throw .emptyStep(order: name, step: step + 1) }
      for cell in cells {
        guard (0..<grid.cellCount).contains(cell) else {
          throw .indexOutsideGrid(order: name, index: cell, grid: grid)
        }
        guard stepOfCell[cell] == 0 else {
          throw .repeatedCell(
            order: name, cell: grid.cell(at: cell), steps: (stepOfCell[cell], step + 1))
        }
        stepOfCell[cell] = step + 1
      }
    }
    let missing = stepOfCell.indices.filter { stepOfCell[$0] == 0 }
    if let first = missing.first {
      throw .missingCell(
        order: name, cell: grid.cell(at: first), missing: missing.count, grid: grid)
    }
    self.name = name
    self.grid = grid
    self.steps = steps
  }

  /// Makes an order from a sequence of cells that is cut into groups: the first group is the first step, and so on.
  ///
  /// - Parameters:
  ///   - sequence: the raster indices of all N cells, as ``sequence`` has them.
  ///   - groupSizes: the sizes of the steps, each at least 1, N in all.
  /// - Throws: ``GenerationOrderError`` that names the first cell left out, repeated or outside the grid, the group
  ///   without a cell, or the number of cells in all groups.
  /// - Complexity: O(N).
  public init(
    name: String, grid: TokenGrid, sequence: [Int], groupSizes: [Int]
  ) throws(GenerationOrderError) {
    let single = try GenerationOrder(name: name, grid: grid, steps: sequence.map { [$0] })
    if let empty = groupSizes.firstIndex(where: { $0 < 1 }) {
      throw .groupSizeOutsideRange(order: name, group: empty + 1, size: groupSizes[empty])
    }
    // No sum of what a file says may overflow.
    var total = 0
    for size in groupSizes {
      total = total.addingReportingOverflow(size).overflow ? .max : total + size
    }
    guard total == grid.cellCount else {
      throw .groupSizesDoNotAddUp(
        order: name, groups: groupSizes.count, total: total, grid: grid)
    }
    var start = 0
    let steps = groupSizes.map { size in
      defer { start += size }
      return Array(sequence[start..<start + size])
    }
    self.init(uncheckedName: single.name, grid: grid, steps: steps)
  }

  /// The raster indices of all cells in the order a purely sequential model visits them; position k holds token k.
  public var sequence: [Int] { steps.flatMap(\.self) }

  /// The number of the step that generates each cell, by raster index, from 1.
  public var stepNumbers: [Int] {
    var numbers = [Int](repeating: 0, count: grid.cellCount)
    for (step, cells) in steps.enumerated() {
      for cell in cells { numbers[cell] = step + 1 }
    }
    return numbers
  }

  /// The size of the largest step: the tokens generated in parallel.
  public var tokensPerStep: Int { steps.map(\.count).max() ?? 1 }

  /// How many steps at the start generate a single cell before the first larger step.
  public var initialSingleSteps: Int { steps.prefix { $0.count == 1 }.count }

  /// The cells a sequential model has generated before it generates `cell`: everything earlier in ``sequence``.
  ///
  /// - Complexity: O(N).
  public func sequentialContext(of cell: Int) -> [Int] { Array(sequence.prefix { $0 != cell }) }

  /// The cells a parallel model has generated before it generates `cell`: everything in earlier steps.
  ///
  /// - Complexity: O(N).
  public func parallelContext(of cell: Int) -> [Int] {
    steps.prefix { !$0.contains(cell) }.flatMap(\.self)
  }

  /// The same sequence with every step split into single cells: the "one" rows of the paper's table 3(d).
  public func sequentialized() -> GenerationOrder {
    GenerationOrder(
      uncheckedName: "\(name) (one by one)", grid: grid, steps: sequence.map { [$0] })
  }

  /// For partitions that are correct by construction.
  init(uncheckedName name: String, grid: TokenGrid, steps: [[Int]]) {
    self.name = name
    self.grid = grid
    self.steps = steps
  }
}
