import Foundation
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

@Suite struct RescaledFeaturesTests {
  let grid = TokenGrid(rows: 2, columns: 3)

  /// Tokens that depend on each other, times a number.
  func features(times factor: Float) throws -> TokenDataset {
    var rng = SeededGenerator(seed: 3)
    var values: [Float] = []
    for _ in 0..<200 {
      let common = Float.random(in: -1...1, using: &rng)
      for _ in 0..<(grid.cellCount * 2) {
        values.append((common + Float.random(in: -1...1, using: &rng)) * factor)
      }
    }
    return try TokenDataset(name: "field", grid: grid, tokens: .features(values, dimensions: 2))
  }

  /// H(ax) = H(x) + log a for each number, and increases do not change: also where a² leaves single precision's range.
  @Test(arguments: [-100, -60, 60, 100]) func entropiesFollowTheUnit(exponent: Int) throws {
    let (one, scaled) = (
      try features(times: 1),
      try features(times: Float(sign: .plus, exponent: exponent, significand: 1))
    )
    let shift = 2 * Double(exponent) * log(2)
    let order = try GenerationOrder.raster(on: grid)
    func profile(_ dataset: TokenDataset) throws -> OrderProfile {
      try OrderEstimator(EstimationSettings()).profiles(of: [order], in: dataset)[0]
    }
    let (a, b) = (try profile(one), try profile(scaled))
    // The scaled features differ by a power of two exactly; log-determinants of size 100 are rounded to 10⁻¹³.
    #expect(abs(b.totalIncrease.value - a.totalIncrease.value) < 1e-9)
    #expect(abs(b.jointEntropy.value - a.jointEntropy.value - 6 * shift) < 1e-9)
    for index in a.sequential.indices {
      #expect(abs(b.sequential[index].value - a.sequential[index].value - shift) < 1e-9)
      #expect(abs(b.parallel[index].value - a.parallel[index].value - shift) < 1e-9)
    }
    func map(_ dataset: TokenDataset) throws -> ConditionalEntropyMap {
      try MapEstimator(EstimationSettings()).maps(
        references: [GridCell(row: 0, column: 1)], in: dataset)[0]
    }
    let (c, d) = (try map(one), try map(scaled))
    for index in 0..<grid.cellCount {
      #expect(abs(d.marginal[index].value - c.marginal[index].value - shift) < 1e-9)
      #expect((c.information[index] == nil) == (d.information[index] == nil))
      if let x = c.information[index], let y = d.information[index] {
        #expect(abs(x.value - y.value) < 1e-9)
      }
    }
    let untouched = try RescaledFeatures(one)
    #expect(untouched == nil)
  }

  /// Scales are nothing that increases depend on, however far those of channels are apart.
  @Test(arguments: [-120, -80, -40, 80, 120]) func channelsHaveScalesOfTheirOwn(exponent: Int)
    throws
  {
    let factor = Float(sign: .plus, exponent: exponent, significand: 1)
    let one = try features(times: 1)
    let values = try one.features(ofImages: 0..<200)
    let scaled = try TokenDataset(
      name: "field", grid: grid,
      tokens: .features(
        values.enumerated().map { $0 % 2 == 1 ? $1 * factor : $1 }, dimensions: 2))
    let order = try GenerationOrder.raster(on: grid)
    for bound in [EntropyBound.debiased, .wishart, .heldOut] {
      let estimator = OrderEstimator(EstimationSettings(bound: bound))
      let a = try estimator.profiles(of: [order], in: one)[0]
      let b = try estimator.profiles(of: [order], in: scaled)[0]
      // Scales move what is rounded in single precision, which log-determinants of 12 numbers show by some 10⁻⁸.
      #expect(abs(b.totalIncrease.value - a.totalIncrease.value) < 1e-6)
      let shift = 6 * Double(exponent) * log(2)
      #expect(abs(b.jointEntropy.value - a.jointEntropy.value - shift) < 1e-6)
    }
    let rescaled = try #require(try RescaledFeatures(scaled))
    #expect(rescaled.units[0] == 1 && abs(log2(rescaled.units[1]) - Double(exponent)) <= 2)
    var moments = try TokenMoments(of: rescaled, precision: .double)
    moments.multiply(byUnits: rescaled.units)
    let exact = try TokenMoments(of: one, precision: .double)
    for i in 0..<12 {
      let unit = i % 2 == 1 ? Double(factor) : 1
      #expect(abs(moments.mean[i] / unit - exact.mean[i]) < 1e-12)
      for j in 0...i {
        let units = unit * (j % 2 == 1 ? Double(factor) : 1)
        #expect(abs(moments.scatter[i, j] / units - exact.scatter[i, j]) < 1e-9)
      }
    }
  }

  /// One number of any size leaves all others what they are: the totals are those of a smaller one that decides its
  /// regression just as much.
  @Test(arguments: [3, 150]) func oneNumberIsNoScale(image: Int) throws {
    let values = try features(times: 1).features(ofImages: 0..<200)
    func total(_ outlier: Float, _ bound: EntropyBound) throws -> Double {
      var changed = values
      changed[image * 12 + 4] = outlier
      let dataset = try TokenDataset(
        name: "field", grid: grid, tokens: .features(changed, dimensions: 2))
      return try OrderEstimator(EstimationSettings(bound: bound)).profiles(
        of: [GenerationOrder.raster(on: grid)], in: dataset)[0].totalIncrease.value
    }
    for bound in [EntropyBound.debiased, .wishart] {
      let expected = try total(1e12, bound)
      for outlier in [Float(1e25), 1e37] {
        // What 10¹² and what 10³⁷ leave of its channel differ by 10⁻¹² of it.
        #expect(abs(try total(outlier, bound) - expected) < 1e-6, "\(outlier), \(bound)")
      }
    }
  }

  @Test func whatIsBeyondSinglePrecisionIsNamed() throws {
    var values = try features(times: 1e-36).features(ofImages: 0..<200)
    values[100 * 12 + 3] = 1e20
    let dataset = try TokenDataset(
      name: "field", grid: grid, tokens: .features(values, dimensions: 2))
    #expect {
      try OrderEstimator(EstimationSettings()).profiles(
        of: [GenerationOrder.raster(on: grid)], in: dataset)
    } throws: { error in
      "\(error)".contains("field: channel 1 of token (0, 1) of image 100")
    }
  }

  /// Features with channels times powers of two.
  private func features(timesPowers exponents: [Int]) throws -> TokenDataset {
    let channels = exponents.count
    var rng = SeededGenerator(seed: 3)
    let factors = exponents.map { Float(sign: .plus, exponent: $0, significand: 1) }
    var values: [Float] = []
    for _ in 0..<200 {
      let common = Float.random(in: -1...1, using: &rng)
      for index in 0..<(grid.cellCount * channels) {
        values.append(
          (common + Float.random(in: -1...1, using: &rng)) * factors[index % channels])
      }
    }
    return try TokenDataset(
      name: "field", grid: grid, tokens: .features(values, dimensions: channels))
  }

  /// Channels that are less than 2³⁰ apart have one unit, and those farther from most their own.
  @Test func channelsThatAreNearHaveOneUnit() throws {
    func exponents(_ powers: [Int], keepsProportions: Bool = false) throws -> [Double]? {
      try RescaledFeatures(
        features(timesPowers: powers), keepsProportions: keepsProportions)?.units.map { log2($0) }
    }
    // The largest of six sums of two numbers below 1 is mostly above ½ and below 2: an exponent of −1 or 0.
    func isNear(_ found: [Double]?, _ expected: [Double]) -> Bool {
      guard let found, found.count == expected.count else { return false }
      return zip(found, expected).allSatisfy { abs($0 - $1) <= 1 }
    }
    #expect(try exponents([0, 20, -20]) == nil)
    let three = try exponents([35, 20, 20])
    #expect(isNear(three, [20, 20, 20]) && Set(three ?? []).count == 1)
    #expect(isNear(try exponents([80, 0, 0]), [80, 0, 0]))
    #expect(isNear(try exponents([80, 79, 0]), [79, 79, 0]))
    #expect(isNear(try exponents([-80, -60, 70]), [-60, -60, 70]))
    let kept = try exponents([80, 0, 0], keepsProportions: true)
    #expect(kept == nil || Set(kept ?? []).count == 1)
    #expect(isNear(try exponents([80, 79, 0], keepsProportions: true), [79, 79, 79]))
  }

  /// Most of a channel's numbers may be next to nothing, as probabilities are, with its tokens still of usual size.
  @Test func smallNumbersBesideUsualOnesAreNoScale() throws {
    var values = try features(times: 1).features(ofImages: 0..<200)
    for index in values.indices where index % 12 < 9 && index % 2 == 1 { values[index] *= 1e-12 }
    let dataset = try TokenDataset(
      name: "field", grid: grid, tokens: .features(values, dimensions: 2))
    let rescaled = try RescaledFeatures(dataset)
    #expect(rescaled == nil)
  }

  /// A jitter is a share of what all channels vary together: those that are far smaller have nothing to say any more.
  @Test func aJitterIsOfAllChannels() throws {
    let order = try GenerationOrder.raster(on: grid)
    let settings = EstimationSettings(bound: .wishart, jitter: 1e-6)
    let one = try features(timesPowers: [0])
    func total(_ dataset: TokenDataset) throws -> Double {
      try OrderEstimator(settings).profiles(of: [order], in: dataset)[0].totalIncrease.value
    }
    let both = try total(features(timesPowers: [90, 0]))
    let moments = try TokenMoments(of: features(timesPowers: [90, 0]), precision: .double)
    var jittered = moments
    jittered.addJitter(1e-6)
    let exact = try OrderEstimator.profiles(of: [order], moments: jittered, bound: .wishart)[0]
    #expect(abs(both - exact.totalIncrease.value) < 1e-6)
    #expect(try total(one) > 0)
  }

  /// Of a channel that is zero but in one image nothing is left to weigh, and where it is next to nothing there either, not even
  /// a rounded number: a sentence, or numbers that are some.
  @Test(arguments: [1e-42, 1e-39, 1e-30, 1, 1e30, 2e38] as [Float]) func oneImageMayBeAllOfAChannel(
    value: Float
  ) throws {
    var values = try features(times: 1).features(ofImages: 0..<200)
    for image in 0..<200 { values[image * 12 + 6] = image == 17 ? value : 0 }
    let dataset = try TokenDataset(
      name: "field", grid: grid, tokens: .features(values, dimensions: 2))
    let order = try GenerationOrder.raster(on: grid)
    for window in [nil, 1] {
      for bound in [EntropyBound.debiased, .wishart] {
        let settings = EstimationSettings(bound: bound, contextWindow: window)
        do {
          let profile = try OrderEstimator(settings).profiles(of: [order], in: dataset)[0]
          #expect(profile.totalIncrease.value.isFinite && profile.jointEntropy.value.isFinite)
        } catch let error as EstimationError {
          #expect("\(error)".contains("field: "), "\(error)")
        }
      }
    }
    for kind in [ErrorKind.gaussian, .robust] {
      let settings = EstimationSettings(bound: .wishart, errors: kind)
      let map = try MapEstimator(settings).maps(
        references: [GridCell(row: 0, column: 1)], in: dataset)[0]
      #expect(map.information[5]?.value.isFinite == true)
    }
  }
}
