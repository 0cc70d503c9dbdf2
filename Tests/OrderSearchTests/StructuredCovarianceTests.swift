import EntropyEstimation
import Foundation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import OrderSearch

func exponential(_ x: Double) -> Double { exp(x) }

/// The average over translations is that of a loop over all pairs of tokens, and of a covariance that is alike everywhere the same.
@Test func translationAverageIsThatOfAllPairs() throws {
  let grid = TokenGrid(frames: 2, rows: 2, columns: 3)
  let field = try GaussianField(grid: grid, channels: 2)
  func average(_ covariance: Matrix) -> Matrix {
    StructuredCovariance.translationAverage(of: covariance, grid: grid, featureDimensions: 2)
  }
  let same = average(field.covariance)
  for i in 0..<24 { for j in 0...i { #expect(abs(same[i, j] - field.covariance[i, j]) < 1e-12) } }
  let moments = try TokenMoments(of: field.samples(30, seed: 1))
  let found = average(moments.scatter)
  for k in 0..<12 {
    for j in 0...k {
      let (a, b) = (grid.cell(at: k), grid.cell(at: j))
      var (sums, count) = ([0.0, 0, 0, 0], 0.0)
      for x in 0..<12 {
        for y in 0...x {
          let (p, q) = (grid.cell(at: x), grid.cell(at: y))
          guard
            (p.frame - q.frame, p.row - q.row, p.column - q.column)
              == (a.frame - b.frame, a.row - b.row, a.column - b.column)
          else { continue }
          count += 1
          for r in 0..<2 {
            for c in 0..<(x == y ? r + 1 : 2) {
              sums[r * 2 + c] += moments.scatter[x * 2 + r, y * 2 + c]
            }
          }
        }
      }
      for r in 0..<2 {
        for c in 0..<(k == j ? r + 1 : 2) {
          #expect(abs(found[k * 2 + r, j * 2 + c] - sums[r * 2 + c] / count) < 1e-9)
        }
      }
    }
  }
}

/// A covariance that is alike everywhere is left to the average; one that is not, with many images, to the images.
@Test func shrinkageGoesWithTheData() throws {
  let grid = TokenGrid(rows: 3, columns: 3)
  let field = try GaussianField(grid: grid, channels: 1)
  let alike = try StructuredCovariance(of: field.samples(60, seed: 2))
  #expect(alike.translationShare >= 0.5 && alike.ridge == 0)
  func distance(_ a: Matrix) -> Double {
    var sum = 0.0
    for i in 0..<9 {
      for j in 0...i {
        sum += (a[i, j] - field.covariance[i, j]) * (a[i, j] - field.covariance[i, j])
      }
    }
    return sum
  }
  let sample = try StructuredCovariance(of: field.samples(60, seed: 2), translationShare: 0)
  #expect(distance(alike.covariance) < distance(sample.covariance))
  // Columns of different variance.
  var tokens = field.samples(4000, seed: 3)
  for i in tokens.values.indices { tokens.values[i] *= Float(1 + i % 3) }
  let other = try StructuredCovariance(of: tokens)
  #expect(other.translationShare < 0.05)
}

/// Fewer images than numbers suffice.
@Test func fewImagesSuffice() throws {
  let grid = TokenGrid(rows: 5, columns: 5)
  let covariance = try StructuredCovariance(
    of: GaussianField(grid: grid, channels: 2).samples(20, seed: 4))
  #expect((try? CholeskyFactor(ofLowerTriangle: covariance.covariance)) != nil)
}

/// The losses of a model on images are what density functions say, and their mean is near what its own tokens lose.
@Test func modelLossIsThatOfDensities() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let field = try GaussianField(grid: grid, channels: 2)
  let samples = field.samples(3000, seed: 5)
  let model = try StructuredCovariance(of: samples)
  let order = try GenerationOrder(
    name: "o", grid: grid, steps: [[4], [0, 5], [2, 1, 3]])
  let losses = try ModelLoss(model).losses(of: order, in: samples)
  func density(_ cell: Int, _ context: [Int], image: Int) throws -> Double {
    let numbers = (context + [cell]).flatMap { [2 * $0, 2 * $0 + 1] }
    var own = Matrix(rows: numbers.count, columns: numbers.count)
    for (i, a) in numbers.enumerated() {
      for (j, b) in numbers.enumerated() { own[i, j] = model.covariance[max(a, b), min(a, b)] }
    }
    let factor = try CholeskyFactor(ofLowerTriangle: own)
    let x = Matrix(
      rows: 1, columns: numbers.count,
      elements: numbers.map { Double(samples.values[image * 12 + $0]) - model.mean[$0] })
    let z = factor.whiten(rows: x).elements.suffix(2)
    let n = numbers.count
    return -0.5 * z.reduce(0) { $0 + $1 * $1 } - log(factor.lower[n - 2, n - 2])
      - log(factor.lower[n - 1, n - 1])
  }
  for image in [0, 7, 2999] {
    var expected = 0.0
    for cell in 0..<6 {
      expected += try density(cell, order.sequentialContext(of: cell), image: image)
      expected -= try density(cell, order.parallelContext(of: cell), image: image)
    }
    #expect(abs(losses[image] - expected) < 1e-9)
  }
  let truth = try StepCosts(of: order.sequence, covariance: field.covariance).loss(
    ofGroupSizes: [1, 2, 3])
  let mean = ModelLoss.mean(losses, in: samples)
  // The model was fitted to these images; five errors are passed once in two million times.
  #expect(abs(mean.value - truth) < 5 * mean.standardError + 0.02)
}

/// Entropies are half the log determinants of residuals of explicit predictions, and images' contributions average to them.
@Test func entropiesAreThoseOfPredictions() throws {
  let grid = TokenGrid(rows: 2, columns: 3)
  let field = try GaussianField(grid: grid, channels: 2)
  let model = try StructuredCovariance(of: field.samples(400, seed: 6))
  let others = field.samples(300, seed: 7)
  let order = try GenerationOrder(
    name: "o", grid: grid, steps: [[4], [0, 5], [2, 1, 3]])
  let found = try ModelLoss(model).entropies(of: order, in: others)
  var expected = 0.0
  for cell in 0..<6 {
    let context = order.parallelContext(of: cell).flatMap { [2 * $0, 2 * $0 + 1] }
    func covariance(_ a: [Int], _ b: [Int]) -> Matrix {
      var result = Matrix(rows: a.count, columns: b.count)
      for (i, x) in a.enumerated() {
        for (j, y) in b.enumerated() { result[i, j] = model.covariance[max(x, y), min(x, y)] }
      }
      return result
    }
    let own = [2 * cell, 2 * cell + 1]
    func centred(_ image: Int, _ numbers: [Int]) -> Matrix {
      Matrix(
        rows: numbers.count, columns: 1,
        elements: numbers.map { Double(others.values[image * 12 + $0]) - model.mean[$0] })
    }
    var scatter = Matrix(rows: 2, columns: 2)
    for image in 0..<300 {
      var residual = centred(image, own)
      if !context.isEmpty {
        let factor = try CholeskyFactor(ofLowerTriangle: covariance(context, context))
        let weights = factor.solveLowerTransposed(factor.solveLower(centred(image, context)))
        let told = covariance(own, context).times(weights)
        for c in 0..<2 { residual[c, 0] -= told[c, 0] }
      }
      for r in 0..<2 { for c in 0..<2 { scatter[r, c] += residual[r, 0] * residual[c, 0] / 300 } }
    }
    expected +=
      0.5 * log(scatter[0, 0] * scatter[1, 1] - scatter[0, 1] * scatter[1, 0])
  }
  #expect(abs(found.reduce(0, +) / 300 - expected) < 1e-9)
}

@Test func partsAreDisjointAndKeepPhotographs() {
  let groups = (0..<300).map { UInt32($0 / 3) }
  let shares = SearchParts.Shares(fit: 0.4, selection: 0.2)
  let parts = SearchParts(imageCount: 300, shares: shares, seed: 1, groups: groups)
  #expect((parts.fit + parts.selection + parts.report).sorted() == Array(0..<300))
  #expect((115...125).contains(parts.fit.count) && (55...65).contains(parts.selection.count))
  let sets = [parts.fit, parts.selection, parts.report].map { Set($0.map { groups[$0] }) }
  #expect(sets[0].isDisjoint(with: sets[1]) && sets[1].isDisjoint(with: sets[2]))
  #expect(sets[0].isDisjoint(with: sets[2]))
  #expect(SearchParts(imageCount: 300, shares: shares, seed: 1, groups: groups) == parts)
  #expect(SearchParts(imageCount: 300, shares: shares, seed: 2, groups: groups) != parts)
  // The report has the images that its estimates want, as far as there are.
  #expect(SearchParts.Shares(imageCount: 10_000, numbers: 4608).fit < 0.14)
  #expect(SearchParts.Shares(imageCount: 10_000, numbers: 1152).fit > 0.4)
}
