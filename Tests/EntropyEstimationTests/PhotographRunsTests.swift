import Foundation
import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import EntropyEstimation

/// The error of a mean with clusters, by its definition; clusters of one give the usual error.
@Test func errorsAreClustered() {
  let groups: [[Double]] = [[1, 2, 4], [10], [3, 3], [-5, 0, 1, 2]]
  let values = groups.flatMap { $0 }
  let starts = groups.flatMap { group in group.indices.map { $0 == 0 } }
  let mean = values.reduce(0, +) / 10
  let squares = groups.reduce(0.0) { sum, group in
    sum + pow(group.reduce(0) { $0 + $1 - mean }, 2)
  }
  let found = RunningMoments(values, startsGroup: starts).estimate
  #expect(abs(found.value - mean) < 1e-12)
  #expect(abs(found.standardError - (squares * 4 / 3).squareRoot() / 10) < 1e-12)
  let single = RunningMoments(values, startsGroup: values.map { _ in true }).estimate
  #expect(abs(single.standardError - Moments(values).standardErrorOfMean) < 1e-12)
  #expect(RunningMoments([1, 2], startsGroup: [true, false]).estimate.standardError == .infinity)
}

private let grid = TokenGrid(rows: 2, columns: 2)
private func order() throws -> GenerationOrder {
  try GenerationOrder(name: "pairs", grid: grid, steps: [[0], [1, 2], [3]])
}

/// Every photograph four times: the errors that know of it are those of the photographs alone, twice those that do not, and
/// the order of the images does not matter. In-sample errors differ by ν for m and for m/4 images: a few percent here.
@Test func copiesOfAPhotographAreOneImage() throws {
  let alone = try GaussianField(grid: grid, channels: 2).samples(150, seed: 12)
  let columns = 8
  func copies(_ place: (Int) -> Int) -> Samples {
    var result = alone
    result.values = (0..<600).flatMap { i in
      alone.values[place(i) * columns..<(place(i) + 1) * columns]
    }
    return result
  }
  var together = copies { $0 / 4 }
  let ignorant = try OrderEstimator(EstimationSettings(bound: .wishart, errors: .robust)).profiles(
    of: [order()], in: together)[0]
  together.imageGroups = (0..<600).map { UInt32($0 / 4) }
  var apart = copies { $0 % 150 }
  apart.imageGroups = (0..<600).map { UInt32($0 % 150) }
  for bound in [EntropyBound.wishart, .heldOut] {
    let settings = EstimationSettings(bound: bound, errors: .robust, folds: 3, seed: 2)
    func profile(_ samples: Samples) throws -> OrderProfile {
      try OrderEstimator(settings).profiles(of: [order()], in: samples)[0]
    }
    let (one, four, other) = (try profile(alone), try profile(together), try profile(apart))
    for cell in 0..<4 {
      #expect(abs(four.sequential[cell].value - other.sequential[cell].value) < 1e-9)
      let (a, b) = (one.sequential[cell].standardError, four.sequential[cell].standardError)
      #expect(abs(b / a - 1) < (bound == .heldOut ? 0.35 : 0.05), "\(bound) \(a) \(b)")
      #expect(abs(other.sequential[cell].standardError / b - 1) < 1e-6)
      if bound == .wishart {
        #expect(abs(ignorant.sequential[cell].standardError / b - 0.5) < 0.03)
      }
    }
    #expect(abs(four.totalIncrease.standardError / other.totalIncrease.standardError - 1) < 1e-6)
  }
  let map = try MapEstimator(EstimationSettings(bound: .wishart, errors: .robust)).maps(
    references: [grid.cell(at: 0)], in: apart)[0]
  let single = try MapEstimator(EstimationSettings(bound: .wishart, errors: .robust)).maps(
    references: [grid.cell(at: 0)], in: alone)[0]
  let (a, b) = (try #require(map.entropy[3]), try #require(single.entropy[3]))
  #expect(abs(a.standardError / b.standardError - 1) < 0.05)
}

/// No part knows an image of another part's photograph, every image is held out once, and parts are about equal.
@Test(arguments: [1, 4])
func photographsAreNotDivided(folds: Int) {
  let groups = (0..<200).map { UInt32($0 * 7 % 43) }
  let split = ImageSplit(imageCount: 200, folds: folds, fraction: 0.25, seed: 3, groups: groups)
  #expect(split.parts.count == folds)
  for (index, part) in split.parts.enumerated() {
    let own = Set(part.map { groups[$0] })
    let others = Set(split.fitted(besides: index).map { groups[$0] })
    #expect(own.isDisjoint(with: others) && part == part.sorted())
    // Photographs have four or five images.
    #expect(abs(part.count - 50) <= 5)
  }
  if folds > 1 { #expect(split.parts.flatMap { $0 }.sorted() == Array(0..<200)) }
}
