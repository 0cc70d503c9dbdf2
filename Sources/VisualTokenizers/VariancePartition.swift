import LinearAlgebra

/// Cuts points into K cells: always the cell with the largest squared error, at its mean, across
/// the channel in which it is widest.
struct VariancePartition {
  /// The mean of each cell, `K × d`, in the order of the tree of cuts.
  let means: FloatMatrix

  /// A run of `order`, and what is needed to cut it.
  private struct Cell {
    var range: Range<Int>
    var mean: [Double]
    /// Σ‖x − mean‖² over the points of the cell.
    var error: Double
    /// The channel with the largest variance.
    var widestChannel: Int
  }

  /// - Throws: ``KMeansError`` when there are fewer than `count` different points.
  /// - Complexity: O(N·d·log K) for cells of similar sizes.
  init(points: FloatMatrix, count: Int) throws {
    guard count <= points.rows else {
      throw KMeansError.tooFewPoints(different: points.rows, wanted: count)
    }
    var order = Array(0..<points.rows)
    // A binary heap of the cells that can be cut, the largest error first; and the ones that cannot.
    var heap = [Self.cell(0..<points.rows, of: order, points)]
    var finished: [Cell] = []
    while heap.count + finished.count < count {
      guard let cell = heap.first else {
        throw KMeansError.tooFewPoints(different: finished.count, wanted: count)
      }
      let channel = cell.widestChannel
      let cut = Self.partition(&order, cell.range) {
        Double(points.elements[$0 * points.columns + channel]) <= cell.mean[channel]
      }
      if cut == cell.range.lowerBound || cut == cell.range.upperBound {
        // All points are the same; the error is rounding.
        finished.append(cell)
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        Self.sink(&heap)
      } else {
        heap[0] = Self.cell(cell.range.lowerBound..<cut, of: order, points)
        Self.sink(&heap)
        heap.append(Self.cell(cut..<cell.range.upperBound, of: order, points))
        Self.rise(&heap)
      }
    }
    let cells = (heap + finished).sorted { $0.range.lowerBound < $1.range.lowerBound }
    means = FloatMatrix(
      rows: count, columns: points.columns, elements: cells.flatMap { $0.mean.map { Float($0) } })
  }

  /// Measures a run of points.
  private static func cell(_ range: Range<Int>, of order: [Int], _ points: FloatMatrix) -> Cell {
    let d = points.columns
    var mean = [Double](repeating: 0, count: d)
    for i in range {
      for j in 0..<d { mean[j] += Double(points.elements[order[i] * d + j]) }
    }
    for j in 0..<d { mean[j] /= Double(range.count) }
    var squares = [Double](repeating: 0, count: d)
    for i in range {
      for j in 0..<d {
        let difference = Double(points.elements[order[i] * d + j]) - mean[j]
        squares[j] += difference * difference
      }
    }
    let widest = squares.indices.max { squares[$0] < squares[$1] } ?? 0
    return Cell(
      range: range, mean: mean, error: squares.reduce(0, +), widestChannel: widest)
  }

  /// Moves the elements that satisfy the condition to the front of the range; returns where the
  /// others begin.
  private static func partition(
    _ order: inout [Int], _ range: Range<Int>, by isFirst: (Int) -> Bool
  ) -> Int {
    var front = range.lowerBound
    for i in range where isFirst(order[i]) {
      order.swapAt(i, front)
      front += 1
    }
    return front
  }

  /// Lets the top of the heap sink to its place.
  private static func sink(_ heap: inout [Cell]) {
    var parent = 0
    while true {
      var largest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].error > heap[largest].error {
        largest = child
      }
      if largest == parent { return }
      heap.swapAt(parent, largest)
      parent = largest
    }
  }

  /// Lets the last of the heap rise to its place.
  private static func rise(_ heap: inout [Cell]) {
    var child = heap.count - 1
    while child > 0, heap[(child - 1) / 2].error < heap[child].error {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }
}
