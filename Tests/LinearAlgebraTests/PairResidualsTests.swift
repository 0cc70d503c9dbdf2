import Foundation
import Testing

@testable import LinearAlgebra

/// Repeatable numbers between −1 and 1, each with a mean of its own place.
private func numbers(_ count: Int, seed: Int) -> [Float] {
  (0..<count).map { index -> Float in
    let angle = Double((index + 17 * seed) * 7919 % 10_007)
    return Float(sin(angle) + 0.1 * Double(index % 7))
  }
}

/// x − x̄, in double precision, of one token: images × width.
private func centred(_ rows: [Float], _ token: Int, width: Int, stride: Int) -> [[Double]] {
  let images = rows.count / stride
  return (0..<images).map { i in
    (0..<width).map { c in
      let column = token * width + c
      let mean = (0..<images).reduce(0.0) { $0 + Double(rows[$1 * stride + column]) }
      return Double(rows[i * stride + column]) - mean / Double(images)
    }
  }
}

private struct Shape: Sendable {
  let images, width, channels: Int
}

private let shapes = [
  Shape(images: 37, width: 3, channels: 3), Shape(images: 100, width: 8, channels: 8),
  Shape(images: 1100, width: 8, channels: 8), Shape(images: 16, width: 11, channels: 6),
  Shape(images: 5, width: 1, channels: 1),
]

@Test(arguments: shapes)
private func marginalsAgreeWithTheirDefinition(shape: Shape) throws {
  let (tokens, width) = (3, shape.width)
  let stride = tokens * width
  let rows = numbers(shape.images * stride, seed: 1)
  let marginals = try TokenMarginals(
    count: shape.images, width: width, shift: Array(repeating: 0.25, count: stride),
    rows: { Array(rows[$0.lowerBound * stride..<$0.upperBound * stride]) })
  for token in 0..<tokens {
    let x = centred(rows, token, width: width, stride: stride)
    for a in 0..<width {
      let mean = (0..<shape.images).reduce(0.0) {
        $0 + Double(rows[$1 * stride + token * width + a])
      }
      #expect(abs(marginals.mean[token * width + a] - mean / Double(shape.images)) < 1e-12)
      for b in 0...a {
        let sum = x.reduce(0.0) { $0 + $1[a] * $1[b] }
        #expect(abs(marginals.scatter[token][a, b] - sum) < 1e-9)
      }
    }
  }
}

/// Every pass against loops over the images, in double precision to 10⁻⁹, and in single precision to what it rounds: 6·10⁻⁸ of
/// numbers of about ten, in sums of a thousand.
@Test(arguments: shapes)
private func passesOverPairsAgreeWithLoops(shape: Shape) throws {
  try comparePasses(Double.self, shape, tolerance: 1e-9)
  try comparePasses(Float.self, shape, tolerance: 2e-3)
}

private func comparePasses<Number: PairNumber>(
  _: Number.Type, _ shape: Shape, tolerance: Double
) throws {
  let (width, d, m) = (shape.width, shape.channels, shape.images)
  let tokens = 3
  let stride = tokens * width
  let rows = numbers(m * stride, seed: 2)
  let marginals = try TokenMarginals(
    count: m, width: width, shift: Array(repeating: 0, count: stride),
    rows: { Array(rows[$0.lowerBound * stride..<$0.upperBound * stride]) })
  var transform = Matrix(rows: width, columns: width)
  for a in 0..<width {
    for b in 0...a { transform[a, b] = 1 / Double(1 + a + 2 * b) - (a == b ? 0 : 0.3) }
  }
  let columns = try TokenColumns<Number>(
    imageCount: m, tokens: [2, 0], mean: marginals.mean,
    transforms: [transform, transform],
    rows: { Array(rows[$0.lowerBound * stride..<$0.upperBound * stride]) })
  func mapped(_ token: Int) -> [[Double]] {
    centred(rows, token, width: width, stride: stride).map { x in
      (0..<width).map { a in (0...a).reduce(0.0) { $0 + transform[a, $1] * x[$1] } }
    }
  }
  let (x, y) = (mapped(2), mapped(0))
  let norms = columns.squaredNorms(of: 1)
  // Padded with zeros for vectors of several images.
  try #require(norms.count >= m && y.count == m)
  for (norm, z) in zip(norms, y) {
    #expect(abs(norm - z.reduce(0) { $0 + $1 * $1 }) < tolerance)
  }
  var pair = PairResiduals<Number>(imageCount: m, channels: d)
  let products = pair.products(of: 0, in: columns, with: 1, in: columns)
  for a in 0..<d {
    for b in 0..<width {
      let sum = zip(x, y).reduce(0.0) { $0 + $1.0[a] * $1.1[b] }
      #expect(abs(products[a, b] - sum) < tolerance)
    }
  }
  var coefficients = Matrix(rows: d, columns: width)
  for index in coefficients.elements.indices { coefficients.elements[index] = cos(Double(index)) }
  let weights = (0..<m).map { 1 + 0.5 * sin(Double($0)) }
  let others = weights.map { 2 - $0 }
  let residuals = (0..<m).map { i in
    (0..<d).map { a in
      (0..<width).reduce(x[i][a]) { $0 - coefficients[a, $1] * y[i][$1] }
    }
  }
  func scatter(_ weights: [Double], _ a: Int, _ b: Int) -> Double {
    (0..<m).reduce(0.0) { $0 + weights[$1] * residuals[$1][a] * residuals[$1][b] }
  }
  let sums = pair.setResiduals(
    of: 0, in: columns, given: 1, in: columns, coefficients: coefficients,
    weights: PairResiduals<Number>.padded(weights))
  let again = pair.scatter(weights: PairResiduals<Number>.padded(others))
  for a in 0..<d {
    for b in 0...a {
      #expect(abs(sums[a, b] - scatter(weights, a, b)) < tolerance)
      #expect(abs(again[a, b] - scatter(others, a, b)) < tolerance)
    }
  }
  let own = transform.block(rows: 0..<d, columns: 0..<d)
  pair.setContributions(
    transform: own, weights: PairResiduals<Number>.padded(weights), scale: 0.75)
  let contributions = residuals.enumerated().map { i, r in
    let z = (0..<d).map { a in (0...a).reduce(0.0) { $0 + own[a, $1] * r[$1] } }
    return 0.75 * weights[i] * z.reduce(0) { $0 + $1 * $1 }
  }
  try #require(pair.imageContributions.count >= m && contributions.count == m)
  for (a, b) in zip(pair.imageContributions, contributions) { #expect(abs(a - b) < tolerance) }
  let baseline = (0..<m).map { 1 + cos(Double($0)) }
  for size in [1, 3] {
    let runs = ImageRuns(startsRun: (0..<m).map { $0 % size == 0 })
    let spread = pair.spread(
      about: 2, baseline: PairResiduals<Number>.padded(baseline), groups: runs)
    for (sums, values) in [
      (spread.own, contributions.map { $0 - 2 }),
      (spread.difference, zip(baseline, contributions).map { $0 - $1 }),
    ] {
      let expected = clustered(values, size: size)
      #expect(abs(sums.mean - expected.mean) < tolerance)
      #expect(abs(sums.standardError - expected.error) < tolerance)
      // Halves of the images, with something added to all numbers.
      let moved = clustered(values.map { $0 + 5 }, size: size)
      #expect(abs(sums.shifted(by: 5).mean - moved.mean) < tolerance)
      #expect(abs(sums.shifted(by: 5).standardError - moved.error) < tolerance)
    }
  }
  let alone = pair.setResiduals(
    of: 0, in: columns, weights: PairResiduals<Number>.padded(weights))
  for a in 0..<d {
    let sum = (0..<m).reduce(0.0) { $0 + weights[$1] * x[$1][a] * x[$1][a] }
    #expect(abs(alone[a, a] - sum) < tolerance)
  }
}

/// The error of a mean with clusters, by its definition.
private func clustered(_ values: [Double], size: Int) -> (mean: Double, error: Double) {
  let m = Double(values.count)
  let mean = values.reduce(0, +) / m
  let groups = stride(from: 0, to: values.count, by: size).map {
    values[$0..<min($0 + size, values.count)].reduce(0) { $0 + $1 - mean }
  }
  let count = Double(groups.count)
  guard count > 1 else { return (mean, values.count > 1 ? .infinity : 0) }
  let squares = groups.reduce(0) { $0 + $1 * $1 }
  return (mean, (count / (count - 1) * squares).squareRoot() / m)
}

@Test func sumsOfDisjointImagesAdd() {
  let runs = ImageRuns(startsRun: [true, false, true])
  var sums = SpreadSums([6, 14, 18, 9], images: 3, groups: runs)
  #expect(sums.mean == 2 && abs(sums.variance - 1) < 1e-12)
  // Runs (1, 2) and (3) and once more the same.
  sums.add(sums)
  let expected = (4.0 / 3 * 4).squareRoot() / 6
  #expect(abs(sums.standardError - expected) < 1e-12)
}
