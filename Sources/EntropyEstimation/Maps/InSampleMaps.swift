import Foundation
import LinearAlgebra
import Statistics
import Synchronization
import TokenData
import TokenGrids

extension MapPass {
  /// What a pair of tokens comes to.
  private struct PairResult: Sendable {
    var entropy = 0.0
    var standardError = 0.0
    var informationError = 0.0
    /// Of the images' contributions.
    var variance = 0.0
    var isFallback = false
  }

  /// H(v_i) of a token, and what each image contributes to it.
  private struct Marginal: Sendable {
    var estimate = Estimate(value: 0, standardError: 0)
    var contributions: [Number] = []
    var isFallback = false
  }

  /// The maps of some references, with errors from the images.
  ///
  /// - Parameter features: The images fitted to.
  /// - Throws: ``EstimationError`` for dependent channels, ``EstimationError/insufficientPrecision(source:cell:channel:)`` where
  ///   the numbers do not resolve a residual, and what reading the features throws.
  /// - Complexity: O(m·n·d²·references), on all cores.
  func maps(
    references: [GridCell], of features: some TokenFeatures,
    progress: (EstimationStage) -> Void = { _ in }
  ) throws -> [ConditionalEntropyMap] {
    let n = grid.cellCount
    let (m, places) = (imageCount, references.map(grid.index(of:)))
    let sizes = means.fit(channels: channels, predictors: width)
    let inflation = (Double(m) / sizes.degreesOfFreedom).squareRoot()
    let independence = sizes.independenceVariance
    let runs = ImageRuns(startsRun: features.startsOfGroups)
    let store = Mutex([PairResult](repeating: PairResult(), count: references.count * n))
    var marginals = [Marginal](repeating: Marginal(), count: n)
    let tiles = tiles(images: m, references: places)
    for targets in tiles.targets {
      let columns = try columns(of: targets, in: features)
      let own = try tokenMarginals(of: targets, columns, runs)
      for (token, marginal) in zip(targets, own) { marginals[token] = marginal }
      var first = 0
      for part in tiles.references {
        let others =
          tiles.targets.count == 1 ? columns : try self.columns(of: part, in: features)
        let start = first
        try forEachPair(
          references: part.count, targets: targets.count,
          progress: { done in
            if tiles.targets.count == 1 { progress(.mapping(done, of: references.count)) }
          }
        ) { reference, range in
          let j = part[reference]
          let place = tiles.targets.count == 1 ? j : reference
          let weights = weights(
            squaredNorms: others.squaredNorms(of: place))
          var pair = PairResiduals<Number>(imageCount: m, channels: channels)
          var results = [PairResult](repeating: PairResult(), count: range.count)
          for target in range where targets[target] != j {
            var coefficients = pair.products(of: target, in: columns, with: place, in: others)
            for index in coefficients.elements.indices {
              coefficients.elements[index] /= Double(m)
            }
            let sum = pair.setResiduals(
              of: target, in: columns, given: place, in: others, coefficients: coefficients,
              weights: weights.scatter)
            let value = try evaluate(
              &pair, sum, addition: addition(to: targets[target], given: j, coefficients),
              weights: weights, sizes: sizes, token: targets[target], given: j)
            let spread = pair.spread(
              about: 0.5 * Double(channels), baseline: own[target].contributions, groups: runs)
            let error = spread.difference.standardError * inflation
            results[target - range.lowerBound] = PairResult(
              entropy: value.entropy + noiseCorrection(spread.own, sizes),
              standardError: spread.own.standardError * inflation,
              // Where tokens are independent the difference is a quadratic in the fit's own error, whose spread comes
              // out twice as large as it is.
              informationError: max(error * error - independence, independence).squareRoot(),
              variance: spread.own.variance, isFallback: value.isFallback)
          }
          store.withLock { store in
            let offset = (start + reference) * n
            for (target, result) in zip(range, results) { store[offset + targets[target]] = result }
          }
        }
        first += part.count
      }
      for token in targets { marginals[token].contributions = [] }
    }
    let results = store.withLock(\.self)
    return references.enumerated().map { index, reference in
      let pairs = results[index * n..<(index + 1) * n]
      let j = places[index]
      var map = ConditionalEntropyMap(
        reference: reference, grid: grid, marginal: marginals.map(\.estimate),
        information: pairs.enumerated().map { i, pair in
          i == j
            ? nil
            : Estimate(
              value: marginals[i].estimate.value - pair.entropy,
              standardError: pair.informationError)
        }, entropyErrors: pairs.map(\.standardError), bound: bound, imageCount: m,
        featureDimensions: channels)
      map.setKurtosis(variances: pairs.map { 4 * $0.variance })
      map.fallbackCount =
        pairs.count(where: \.isFallback) + marginals.count(where: \.isFallback)
      return map
    }
  }

  /// What the noise of a weighted scatter leaves to be added to an entropy; nothing for the closed forms.
  private func noiseCorrection(_ influences: SpreadSums, _ sizes: ResidualFit) -> Double {
    guard bound == .debiased else { return 0 }
    return ScatterNoise(
      // Influences are summed about ½·d.
      meanSquare: influences.shifted(by: 0.5 * Double(channels)).meanSquare,
      runFactor: influences.runFactor,
      fit: (channels, sizes.degreesOfFreedom)
    ).correction
  }

  /// H(v_i) of some tokens.
  private func tokenMarginals(
    of tokens: [Int], _ columns: TokenColumns<Number>, _ runs: ImageRuns
  ) throws -> [Marginal] {
    let sizes = means.fit(channels: channels, predictors: 0)
    let inflation = (Double(imageCount) / sizes.degreesOfFreedom).squareRoot()
    let weights = weights(squaredNorms: nil)
    let store = Mutex([Marginal](repeating: Marginal(), count: tokens.count))
    try forEachPair(references: 1, targets: tokens.count) { _, range in
      var pair = PairResiduals<Number>(imageCount: imageCount, channels: channels)
      for target in range {
        let sum = pair.setResiduals(of: target, in: columns, weights: weights.scatter)
        let value = try evaluate(
          &pair, sum, addition: addition(to: tokens[target], given: nil, nil), weights: weights,
          sizes: sizes, token: tokens[target], given: nil)
        let spread = pair.spread(
          about: 0.5 * Double(channels), baseline: nil, groups: runs
        ).own
        let marginal = Marginal(
          estimate: Estimate(
            value: value.entropy + noiseCorrection(spread, sizes),
            standardError: spread.standardError * inflation),
          contributions: pair.paddedContributions, isFallback: value.isFallback)
        store.withLock { $0[target] = marginal }
      }
    }
    return store.withLock(\.self)
  }
}
