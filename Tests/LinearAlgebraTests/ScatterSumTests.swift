import Testing

@testable import LinearAlgebra

/// Repeatable numbers in −1…1 with an offset that grows by column, as features with unequal means have.
func testRows(_ count: Int, columns: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count * columns).map { index in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int64(bitPattern: state) >> 40) * 0x1p-23 + Float(index % columns) * 0.25
  }
}

private func slice(_ rows: [Float], columns: Int) -> @Sendable (Range<Int>) -> [Float] {
  { Array(rows[$0.lowerBound * columns..<$0.upperBound * columns]) }
}

/// The slow, obvious scatter about the mean, and the mean.
private func obviousScatter(_ rows: [Float], columns: Int) -> (mean: [Double], scatter: Matrix) {
  let count = rows.count / columns
  let mean = (0..<columns).map { j in
    (0..<count).reduce(0.0) { $0 + Double(rows[$1 * columns + j]) } / Double(count)
  }
  var scatter = Matrix(rows: columns, columns: columns)
  for i in 0..<count {
    for a in 0..<columns {
      for b in 0...a {
        scatter[a, b] +=
          (Double(rows[i * columns + a]) - mean[a]) * (Double(rows[i * columns + b]) - mean[b])
      }
    }
  }
  return (mean, scatter)
}

/// Single-precision sums of 64 products of numbers below 1 are off by less than 64²·6e-8/2 = 1e-4 at the very worst; over
/// hundreds of rows the errors average to below 1e-6 of the number of rows.
@Test(arguments: [(1, 1), (7, 5), (33, 16), (300, 37), (513, 50), (40, 130), (2100, 3)])
func scatterAgreesWithTheObviousOne(count: Int, columns: Int) throws {
  let rows = testRows(count, columns: columns)
  let expected = obviousScatter(rows, columns: columns)
  let shift = (0..<columns).map { Float($0) * 0.25 + 0.01 }
  for kernel in [ScatterSum.Kernel.best, .portable] {
    var sum = ScatterSum(shift: shift, kernel: kernel)
    try sum.add(count: count, rows: slice(rows, columns: columns))
    #expect(sum.count == count)
    #expect(sum.mean.count == columns && expected.mean.count == columns)
    for (a, b) in zip(sum.mean, expected.mean) { #expect(abs(a - b) < 1e-7 * (1 + abs(b))) }
    expectEqual(sum.aboutMean(), expected.scatter, tolerance: 1e-6 * Double(count))
  }
  var exact = DoubleScatterSum(shift: shift.map(Double.init))
  try exact.add(count: count, rows: slice(rows, columns: columns))
  // Double precision: rounding of a few thousand additions.
  #expect(exact.mean.count == columns)
  for (a, b) in zip(exact.mean, expected.mean) { #expect(abs(a - b) < 1e-12 * (1 + abs(b))) }
  expectEqual(exact.aboutMean(), expected.scatter, tolerance: 1e-11 * Double(count))
}

@Test func addingInPartsGivesTheSameSum() throws {
  let columns = 21
  let rows = testRows(600, columns: columns)
  let shift = [Float](repeating: 2, count: columns)
  var whole = ScatterSum(shift: shift)
  try whole.add(count: 600, rows: slice(rows, columns: columns))
  var parts = ScatterSum(shift: shift)
  try parts.add(count: 250, rows: slice(rows, columns: columns))
  try parts.add(
    count: 350, rows: { slice(rows, columns: columns)($0.lowerBound + 250..<$0.upperBound + 250) })
  #expect(parts.count == 600)
  // The runs of single-precision sums fall elsewhere.
  expectEqual(parts.aboutMean(), whole.aboutMean(), tolerance: 1e-3)
}

@Test func theSameRowsGiveTheSameBits() throws {
  let columns = 70
  let rows = testRows(500, columns: columns)
  let results = try (0..<3).map { _ in
    var sum = ScatterSum(shift: [Float](repeating: 0, count: columns))
    try sum.add(count: 500, rows: slice(rows, columns: columns))
    return sum.aboutMean()
  }
  #expect(results[0] == results[1] && results[1] == results[2])
}

@Test func errorsOfTheRowsAreRethrown() throws {
  struct Unreadable: Error {}
  var sum = ScatterSum(shift: [0, 0])
  #expect(throws: Unreadable.self) { try sum.add(count: 100, rows: { _ in throw Unreadable() }) }
}

@Test(arguments: [1, 3, 8, 9])
func tokenScatterAgreesWithTheObviousOne(channels: Int) throws {
  let tokens = 5
  let columns = tokens * channels
  let rows = testRows(600, columns: columns, seed: 9)
  let expected = obviousScatter(rows, columns: columns).scatter
  let scatter = try TokenScatter(
    count: 600, channels: channels, references: [3, 0],
    shift: (0..<columns).map { Float($0) * 0.25 }, rows: slice(rows, columns: columns))
  func pair(_ i: Int, _ j: Int) -> Double { i >= j ? expected[i, j] : expected[j, i] }
  for token in 0..<tokens {
    for a in 0..<channels {
      for b in 0..<channels {
        let place = (token * channels + a) * channels + b
        let own = pair(token * channels + a, token * channels + b)
        #expect(abs(scatter.marginal[place] - own) < 1e-6 * 600)
        for (index, reference) in [3, 0].enumerated() {
          let cross = pair(reference * channels + a, token * channels + b)
          let found = scatter.cross[index * columns * channels + place]
          #expect(abs(found - cross) < 1e-6 * 600)
        }
      }
    }
  }
}

/// Compares lower triangles.
func expectEqual(
  _ a: Matrix, _ b: Matrix, tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(a.rows == b.rows && a.columns == b.columns, sourceLocation: sourceLocation)
  var largest = 0.0
  for i in 0..<min(a.rows, b.rows) {
    for j in 0...i { largest = max(largest, abs(a[i, j] - b[i, j])) }
  }
  #expect(largest <= tolerance, sourceLocation: sourceLocation)
}
