import LinearAlgebra
import Statistics
import Synchronization
import TokenData
import TokenGrids

/// What the losses of images come to for every token, with a reference and without.
struct MapLosses: Sendable {
  /// By raster index; those of the reference have no image.
  var conditional: [SpreadSums]
  /// The loss without the reference less that with it.
  var information: [SpreadSums]
  var marginal: [SpreadSums]

  init(tokens: Int) {
    conditional = Array(repeating: SpreadSums(), count: tokens)
    (information, marginal) = (conditional, conditional)
  }
}

extension MapPass {
  /// c of the covariance W/c with which images are scored.
  private func divisor(_ sizes: ResidualFit) -> Double {
    bound == .heldOut ? sizes.predictiveDivisor : Double(imageCount)
  }

  /// Adds the losses ½log|2πΣ| + ½eᵀΣ⁻¹e of images, for each reference.
  ///
  /// - Parameters:
  ///   - measured: The images whose losses are wanted.
  ///   - fitted: The images fitted to.
  /// - Throws: As ``maps(references:of:progress:)``.
  /// - Complexity: O(m·n·d²·references), on all cores.
  func addLosses(
    of measured: some TokenFeatures, fittedTo fitted: some TokenFeatures, references: [GridCell],
    to losses: inout [MapLosses]
  ) throws {
    let (n, d) = (grid.cellCount, Double(channels))
    let places = references.map(grid.index(of:))
    let sizes = means.fit(channels: channels, predictors: width)
    let runs = ImageRuns(startsRun: measured.startsOfGroups)
    let empty = (conditional: SpreadSums(), information: SpreadSums())
    let store = Mutex(Array(repeating: empty, count: references.count * n))
    let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: imageCount))
    let scored = PairResiduals<Number>.padded(Array(repeating: 1, count: measured.imageCount))
    let tiles = tiles(images: imageCount + measured.imageCount, references: places)
    for targets in tiles.targets {
      let columns = try columns(of: targets, in: fitted)
      let scoredColumns = try self.columns(of: targets, in: measured)
      let own = try marginalContributions(of: targets, scoredColumns, runs)
      for (token, sums) in zip(targets, own.sums) {
        for index in losses.indices { losses[index].marginal[token].add(sums) }
      }
      var first = 0
      for part in tiles.references {
        let isWhole = tiles.targets.count == 1
        let others = isWhole ? columns : try self.columns(of: part, in: fitted)
        let scoredOthers = isWhole ? scoredColumns : try self.columns(of: part, in: measured)
        let start = first
        try forEachPair(references: part.count, targets: targets.count) { reference, range in
          let j = part[reference]
          let place = isWhole ? j : reference
          var pair = PairResiduals<Number>(imageCount: imageCount, channels: channels)
          var loss = PairResiduals<Number>(imageCount: measured.imageCount, channels: channels)
          for target in range where targets[target] != j {
            let token = targets[target]
            var coefficients = pair.products(of: target, in: columns, with: place, in: others)
            for index in coefficients.elements.indices {
              coefficients.elements[index] /= Double(imageCount)
            }
            let sum = pair.setResiduals(
              of: target, in: columns, given: place, in: others, coefficients: coefficients,
              weights: ones)
            guard
              let factor = factored(
                sum, addition: addition(to: token, given: j, coefficients), inflation: 1)
            else { throw dependence(of: token, channel: channels - 1, on: j) }
            let fit = try fit(factor, token: token, given: j)
            let expected = bound.entropy(
              logDeterminant: whitening.factors[token].logDeterminant(ofLeading: channels)
                + fit.logDeterminant, sizes)
            _ = loss.setResiduals(
              of: target, in: scoredColumns, given: place, in: scoredOthers,
              coefficients: coefficients, weights: scored)
            loss.setContributions(
              transform: fit.transform, weights: scored,
              scale: 0.5 * divisor(sizes) / Double(imageCount))
            let spread = loss.spread(
              about: 0.5 * d, baseline: own.contributions[target], groups: runs)
            let sums = (
              spread.own.shifted(by: expected),
              spread.difference.shifted(by: own.expected[target] - expected)
            )
            store.withLock { $0[(start + reference) * n + token] = sums }
          }
        }
        first += part.count
      }
    }
    let sums = store.withLock(\.self)
    for index in references.indices {
      for token in 0..<n {
        losses[index].conditional[token].add(sums[index * n + token].conditional)
        losses[index].information[token].add(sums[index * n + token].information)
      }
    }
  }

  /// What images contribute to the loss of tokens without a reference, what is expected of them, and the sums of the losses.
  private func marginalContributions(
    of tokens: [Int], _ columns: TokenColumns<Number>, _ runs: ImageRuns
  ) throws -> (contributions: [[Number]], expected: [Double], sums: [SpreadSums]) {
    let sizes = means.fit(channels: channels, predictors: 0)
    let scale = 0.5 * divisor(sizes) / Double(imageCount)
    let ones = PairResiduals<Number>.padded(Array(repeating: 1, count: columns.imageCount))
    let expected = tokens.map {
      bound.entropy(
        logDeterminant: whitening.factors[$0].logDeterminant(ofLeading: channels), sizes)
    }
    let empty = (contributions: [Number](), sums: SpreadSums())
    let store = Mutex(Array(repeating: empty, count: tokens.count))
    try forEachPair(references: 1, targets: tokens.count) { _, range in
      var pair = PairResiduals<Number>(imageCount: columns.imageCount, channels: channels)
      for target in range {
        _ = pair.setResiduals(of: target, in: columns, weights: ones)
        // The scatter of a whitened token is the identity.
        pair.setContributions(
          transform: Matrix.identity(channels), weights: ones, scale: scale)
        let contributions = pair.paddedContributions
        let sums = pair.spread(
          about: 0.5 * Double(channels), baseline: nil, groups: runs
        ).own.shifted(by: expected[target])
        store.withLock { $0[target] = (contributions, sums) }
      }
    }
    let results = store.withLock(\.self)
    return (results.map(\.contributions), expected, results.map(\.sums))
  }

  /// The losses of images without any reference, by token and image.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·n·d²).
  func marginalLosses(of measured: some TokenFeatures) throws -> [[Double]] {
    let tokens = Array(0..<grid.cellCount)
    let own = try marginalContributions(
      of: tokens, columns(of: tokens, in: measured),
      ImageRuns(startsRun: measured.startsOfGroups))
    return zip(own.contributions, own.expected).map { contributions, expected in
      Number.widened(contributions[..<measured.imageCount]).map {
        expected - 0.5 * Double(channels) + $0
      }
    }
  }
}
