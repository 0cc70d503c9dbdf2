import CKernels

/// The sum of products Σ (x − s)(x − s)ᵀ over many rows x of `columns` numbers, about a fixed shift s.
///
/// Rows are `Float`; products are summed in single precision over runs of ``singlePrecisionRun`` rows and those runs in
/// double precision, which takes half the time of `dsyrk`. Squares, whose sums grow fastest and so would be rounded worst,
/// are summed in double precision throughout. The order of the additions does not depend on the number of threads: the
/// same rows give the same bits.
public struct ScatterSum: Sendable {
  /// The number of columns.
  public let columns: Int
  /// What is subtracted from every row before it is multiplied; near the mean, for accuracy.
  public let shift: [Float]
  /// The number of rows added so far.
  public private(set) var count = 0
  /// Σ (x − s), by column.
  public private(set) var columnSums: [Double]
  /// Σ (x − s)², by column: the diagonal of the sum.
  private var columnSquares: [Double]

  private let kernel: te_scatter_kernel
  /// Lower triangle of the sum, row-major with `stride` numbers a row, both extents rounded up to whole tiles.
  private var sums: [Double]
  private let stride: Int

  /// How many rows are summed in single precision.
  public static var singlePrecisionRun: Int { Int(te_scatter_run) }
  /// How many rows are packed and multiplied together: one panel of them stays in the first-level cache.
  package static let rowsPerBlock = 256
  /// How many rows one task packs; it does not depend on the number of threads, so that sums are repeatable.
  static let rowsPerPackingTask = 32
  /// How many tasks pack a block.
  static func packingTasks(of block: Range<Int>) -> Int {
    block.count.dividedRoundingUp(by: rowsPerPackingTask)
  }

  /// Reads a block of rows, a few a task, on all cores: `body` gets the task, how many rows of the block are before its own,
  /// these, and how many they are.
  static func forEachPackingTask(
    of block: Range<Int>, columns: Int, _ rows: @Sendable (Range<Int>) throws -> [Float],
    _ body: @Sendable (_ task: Int, _ offset: Int, _ data: [Float], _ count: Int) -> Void
  ) throws {
    try parallelFor(packingTasks(of: block)) { task in
      let offset = task * rowsPerPackingTask
      let count = min(rowsPerPackingTask, block.count - offset)
      let first = block.lowerBound + offset
      let data = try rows(first..<first + count)
      precondition(data.count == count * columns, "rows have \(columns) columns")
      body(task, offset, data, count)
    }
  }

  /// How many left panels one task keeps in the second-level cache.
  static let leftPanelsPerTask = 32
  /// How many right panels one task multiplies them with.
  static let rightPanelsPerTask = 64

  /// Which kernel multiplies.
  public enum Kernel: Sendable {
    /// The fastest that this processor runs.
    case best
    /// Plain C, on every processor.
    case portable
  }

  /// Makes an empty sum about `shift`.
  ///
  /// - Parameters:
  ///   - shift: One number a column; its count is the number of columns.
  ///   - kernel: Which kernel multiplies; another kernel gives another rounding.
  public init(shift: [Float], kernel: Kernel = .best) {
    self.columns = shift.count
    self.shift = shift
    self.kernel =
      switch kernel {
      case .best: te_scatter_kernel_best()
      case .portable: te_scatter_kernel_portable()
      }
    columnSums = Array(repeating: 0, count: columns)
    columnSquares = columnSums
    stride = columns.roundedUp(toMultipleOf: self.kernel.columns)
    sums = Array(repeating: 0, count: columns.roundedUp(toMultipleOf: self.kernel.rows) * stride)
  }

  /// Adds `count` rows.
  ///
  /// - Parameters:
  ///   - count: How many rows there are.
  ///   - rows: Returns a run of rows, row-major; called from several threads at once, a few rows at a time.
  ///   - progress: Told how many rows have been added, after every block.
  /// - Throws: What `rows` throws; the sum is then incomplete and must not be used.
  /// - Complexity: O(count · columns²/2) multiplications, on all cores.
  public mutating func add(
    count: Int, rows: @Sendable (Range<Int>) throws -> [Float], progress: (Int) -> Void = { _ in }
  ) throws {
    var panels = Panels(columns: columns, kernel: kernel)
    for start in Swift.stride(from: 0, to: count, by: Self.rowsPerBlock) {
      let block = start..<min(start + Self.rowsPerBlock, count)
      let partial = try panels.pack(block, of: rows, minus: shift)
      for task in partial {
        for column in 0..<columns {
          columnSums[column] += task.sums[column]
          columnSquares[column] += task.squares[column]
        }
      }
      multiply(panels, rows: block.count)
      progress(block.upperBound)
    }
    self.count += count
  }

  /// The scatter about the mean, Σ (x − x̄)(x − x̄)ᵀ, lower triangle; what is above the diagonal is zero.
  public consuming func aboutMean() -> Matrix {
    let (columns, stride, count) = (self.columns, self.stride, self.count)
    let (columnSums, columnSquares) = (self.columnSums, self.columnSquares)
    // Taken out of this value, so that there is never a second copy.
    var result = self.sums
    self.sums = []
    result.compact(rows: columns, columns: columns, stride: stride)
    result.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, count > 0 else { return }
      let shared = SharedPointer(base)
      parallelFor(columns) { i in
        let row = shared.base + i * columns
        let factor = columnSums[i] / Double(count)
        row[i] = columnSquares[i]
        for j in 0...i { row[j] -= factor * columnSums[j] }
        for j in (i + 1)..<max(columns, i + 1) { row[j] = 0 }
      }
    }
    return Matrix(rows: columns, columns: columns, elements: result)
  }

  /// The mean row x̄.
  public var mean: [Double] {
    zip(shift, columnSums).map { Double($0) + $1 / Double(max(count, 1)) }
  }

  private mutating func multiply(_ panels: Panels, rows: Int) {
    let (kernel, stride) = (self.kernel, self.stride)
    let leftTasks = panels.leftCount.dividedRoundingUp(by: Self.leftPanelsPerTask)
    let rightTasks = panels.rightCount.dividedRoundingUp(by: Self.rightPanelsPerTask)
    sums.withUnsafeMutableBufferPointer { sums in
      panels.withUnsafePointers { left, right in
        guard let sumsBase = sums.baseAddress else { return }
        let shared = (SharedPointer(sumsBase), SharedPointer(left), SharedPointer(right))
        parallelFor(leftTasks * rightTasks) { task in
          // The last rows of the triangle are the longest: begin with them.
          let leftTask = leftTasks - 1 - task / rightTasks
          let leftPanels =
            leftTask
            * Self.leftPanelsPerTask..<min(
              (leftTask + 1) * Self.leftPanelsPerTask, panels.leftCount)
          let firstRight = task % rightTasks * Self.rightPanelsPerTask
          let lastRight = min(firstRight + Self.rightPanelsPerTask, panels.rightCount)
          for rightPanel in firstRight..<lastRight {
            let column = rightPanel * kernel.columns
            for leftPanel in leftPanels {
              let row = leftPanel * kernel.rows
              guard row + kernel.rows > column else { continue }
              kernel.add(
                rows, shared.1.base + leftPanel * Self.rowsPerBlock * kernel.rows,
                shared.2.base + rightPanel * Self.rowsPerBlock * kernel.columns,
                shared.0.base + row * stride + column, stride)
            }
          }
        }
      }
    }
  }
}

/// A block of rows, packed column by column for the kernel: once in panels as wide as a tile has rows (left), once in
/// panels as wide as a tile has columns (right).
private struct Panels: Sendable {
  let leftCount: Int
  let rightCount: Int
  private let columns: Int
  private let kernel: te_scatter_kernel
  private var left: [Float]
  private var right: [Float]

  init(columns: Int, kernel: te_scatter_kernel) {
    self.columns = columns
    self.kernel = kernel
    leftCount = columns.dividedRoundingUp(by: kernel.rows)
    rightCount = columns.dividedRoundingUp(by: kernel.columns)
    let block = ScatterSum.rowsPerBlock
    left = Array(repeating: 0, count: leftCount * kernel.rows * block)
    right = Array(repeating: 0, count: rightCount * kernel.columns * block)
  }

  /// Packs a block of rows and returns the column sums of each packing task's share.
  mutating func pack(
    _ block: Range<Int>, of rows: @Sendable (Range<Int>) throws -> [Float], minus shift: [Float]
  ) throws -> [ColumnSums] {
    let (columns, kernel, leftCount, rightCount) = (columns, kernel, leftCount, rightCount)
    let tasks = ScatterSum.packingTasks(of: block)
    var sums = [ColumnSums](repeating: ColumnSums(), count: tasks)
    try sums.withUnsafeMutableBufferPointer { sums in
      try left.withUnsafeMutableBufferPointer { left in
        try right.withUnsafeMutableBufferPointer { right in
          guard let sums = sums.baseAddress, let left = left.baseAddress,
            let right = right.baseAddress
          else { return }
          let shared = (SharedPointer(sums), SharedPointer(left), SharedPointer(right))
          try ScatterSum.forEachPackingTask(of: block, columns: columns, rows) {
            task, offset, data, count in
            for panel in 0..<leftCount {
              te_scatter_pack(
                count, data, columns, shift, panel * kernel.rows, kernel.rows, columns,
                shared.1.base + (panel * ScatterSum.rowsPerBlock + offset) * kernel.rows)
            }
            for panel in 0..<rightCount {
              te_scatter_pack(
                count, data, columns, shift, panel * kernel.columns, kernel.columns, columns,
                shared.2.base + (panel * ScatterSum.rowsPerBlock + offset) * kernel.columns)
            }
            shared.0.base[task] = ColumnSums(of: data, count: count, minus: shift)
          }
        }
      }
    }
    return sums
  }

  func withUnsafePointers(
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return }
        body(UnsafeMutablePointer(mutating: left), UnsafeMutablePointer(mutating: right))
      }
    }
  }
}

/// Sums by column over some rows, each difference rounded to `Float` as the kernel sees it.
struct ColumnSums: Sendable {
  /// Σ (x − s).
  private(set) var sums: [Double] = []
  /// Σ (x − s)².
  private(set) var squares: [Double] = []

  init() {}

  init(of rows: [Float], count: Int, minus shift: [Float]) {
    let columns = shift.count
    sums = [Double](repeating: 0, count: columns)
    squares = sums
    rows.withUnsafeBufferPointer { rows in
      shift.withUnsafeBufferPointer { shift in
        sums.withUnsafeMutableBufferPointer { sums in
          squares.withUnsafeMutableBufferPointer { squares in
            for i in 0..<count {
              for j in 0..<columns {
                let value = Double(rows[i * columns + j] - shift[j])
                sums[j] += value
                squares[j] += value * value
              }
            }
          }
        }
      }
    }
  }
}

extension [Double] {
  /// Keeps the first `columns` numbers of each of the first `rows` rows of a matrix with `stride` numbers a row, in place.
  fileprivate mutating func compact(rows: Int, columns: Int, stride: Int) {
    if columns != stride {
      withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        // Rows only move forwards, each to where nothing is wanted any more.
        for i in 1..<Swift.max(rows, 1) {
          (base + i * columns).update(from: base + i * stride, count: columns)
        }
      }
    }
    removeLast(count - rows * columns)
  }
}

extension Int {
  func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }

  func roundedUp(toMultipleOf factor: Int) -> Int { dividedRoundingUp(by: factor) * factor }
}
