import LinearAlgebra

/// The best speed of `dsyrk` at the size that a whole grid of tokens needs, in floating-point operations a second.
func measuredPeak(columns: Int = 4608, rows: Int = 1024, repetitions: Int = 5) -> Double {
  var state: UInt64 = 1
  let data = (0..<rows * columns).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 40) * 0x1p-23
  }
  let matrix = Matrix(rows: rows, columns: columns, elements: data)
  var sums = Matrix(rows: columns, columns: columns)
  let clock = ContinuousClock()
  let seconds = (0..<repetitions).map { _ in
    let elapsed = clock.measure { sums.addScatter(ofRows: matrix) }.components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
  return Double(rows) * Double(columns) * Double(columns + 1) / (seconds.min() ?? .nan)
}
