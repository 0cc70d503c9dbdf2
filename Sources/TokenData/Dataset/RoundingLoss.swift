/// Numbers so far from zero, for how little they differ, that single precision would lose most of the difference.
struct RoundingLoss {
  /// The first row, n·d numbers: taken off all of them it leaves small ones.
  let origin: [Double]
  /// The column that would lose most, and its largest magnitude and range.
  let magnitude, range: Double

  /// Looks at rows for a column that varies and would keep fewer than 12 bits of its range; nil where there is none.
  init?(rows values: [Double], columns: Int, known rows: Int) {
    guard rows > 1 else { return nil }
    var worst: (magnitude: Double, range: Double)?
    for column in 0..<columns {
      var (least, most) = (values[column], values[column])
      for row in 1..<rows {
        let value = values[row * columns + column]
        (least, most) = (min(least, value), max(most, value))
      }
      let magnitude = max(abs(least), abs(most))
      let range = most - least
      guard range > 0, magnitude > range * 0x1p12 else { continue }
      if let found = worst, magnitude / range <= found.magnitude / found.range { continue }
      worst = (magnitude, range)
    }
    guard let worst else { return nil }
    (magnitude, range) = worst
    origin = Array(values.prefix(columns))
  }

  func error(_ file: String, what: String) -> TokenDataError {
    .lostInSinglePrecision(file, what: what, magnitude: magnitude, range: range)
  }
}
