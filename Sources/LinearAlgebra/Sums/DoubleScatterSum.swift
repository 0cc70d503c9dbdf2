/// The sum of products Σ (x − s)(x − s)ᵀ in double precision throughout, by `dsyrk`: what ``ScatterSum`` is compared with,
/// and the choice for sums that are added to others, and for data so ill-conditioned that its precision does not suffice.
public struct DoubleScatterSum: Sendable {
  /// What is subtracted from every row before it is multiplied.
  public let shift: [Double]
  /// The number of rows added so far.
  public private(set) var count = 0
  private var columnSums: [Double]
  private var sums: Matrix

  /// How many rows are converted and multiplied together: many, since each time all sums are read and written, but no more than
  /// take 128 MB.
  private var rowsPerBlock: Int { min(2048, max(256, (16 << 20) / max(shift.count, 1))) }

  /// Makes an empty sum about `shift`, which has one number a column.
  public init(shift: [Double]) {
    self.shift = shift
    columnSums = Array(repeating: 0, count: shift.count)
    sums = Matrix(rows: shift.count, columns: shift.count)
  }

  /// Adds `count` rows, as ``ScatterSum/add(count:rows:progress:)`` does.
  ///
  /// - Complexity: O(count · columns²/2) (`dsyrk`), on all of BLAS's threads.
  public mutating func add(
    count: Int, rows: @Sendable (Range<Int>) throws -> [Float], progress: (Int) -> Void = { _ in }
  ) throws {
    let rowsPerBlock = rowsPerBlock
    // One for all blocks: the pages of a new one at every block, and their columns added up by one thread, took a tenth of
    // the time of all.
    var centred = Matrix(rows: min(rowsPerBlock, count), columns: shift.count)
    for start in stride(from: 0, to: count, by: rowsPerBlock) {
      let block = start..<min(start + rowsPerBlock, count)
      try centre(block, of: rows, into: &centred)
      // The last block may be shorter, and leave something of the one before.
      sums.addScatter(ofRows: centred, first: block.count)
      progress(block.upperBound)
    }
    self.count += count
  }

  /// Puts a block of rows less the shift at the head of a matrix, on all cores, and adds up its columns, which does not
  /// depend on the number of threads.
  private mutating func centre(
    _ block: Range<Int>, of rows: @Sendable (Range<Int>) throws -> [Float],
    into result: inout Matrix
  ) throws {
    let (columns, shift) = (shift.count, shift)
    let tasks = ScatterSum.packingTasks(of: block)
    var partial = Array(repeating: 0.0, count: tasks * columns)
    try partial.withUnsafeMutableBufferPointer { partial in
      try result.elements.withUnsafeMutableBufferPointer { elements in
        guard let base = elements.baseAddress, let partial = partial.baseAddress else { return }
        let shared = (SharedPointer(base), SharedPointer(partial))
        try ScatterSum.forEachPackingTask(of: block, columns: columns, rows) {
          task, offset, data, count in
          let (to, sums) = (shared.0.base + offset * columns, shared.1.base + task * columns)
          data.withUnsafeBufferPointer { data in
            shift.withUnsafeBufferPointer { shift in
              for i in 0..<count {
                for j in 0..<columns {
                  let value = Double(data[i * columns + j]) - shift[j]
                  to[i * columns + j] = value
                  sums[j] += value
                }
              }
            }
          }
        }
      }
    }
    for task in 0..<tasks {
      for j in 0..<columns { columnSums[j] += partial[task * columns + j] }
    }
  }

  /// The mean row x̄.
  public var mean: [Double] { zip(shift, columnSums).map { $0 + $1 / Double(max(count, 1)) } }

  /// The scatter about the mean, Σ (x − x̄)(x − x̄)ᵀ, lower triangle; what is above the diagonal is zero.
  public consuming func aboutMean() -> Matrix {
    guard count > 0 else { return sums }
    for i in shift.indices {
      let factor = columnSums[i] / Double(count)
      for j in 0...i { sums[i, j] -= factor * columnSums[j] }
    }
    return sums
  }
}
