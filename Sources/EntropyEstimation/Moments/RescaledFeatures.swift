import Foundation
import Statistics
import TokenData
import TokenGrids

/// Features whose channels were divided by powers of two, where their magnitudes are such that squares would leave the range
/// of single precision.
///
/// Entropies of d channels are those of the features themselves less Σ log(unit); increases and informations are the same.
/// Division by a power of two rounds nothing.
public struct RescaledFeatures: TokenFeatures {
  private let base: any TokenFeatures
  /// What each channel was divided by.
  public let units: [Double]
  private let factors: [Float]

  /// What to add to the entropy of one token.
  public var entropyShift: Double { units.reduce(0) { $0 + log($1) } }

  /// How far from 1, as an exponent of two, magnitudes stay as they are.
  private static let reach = 30

  /// Scales features whose usual magnitude among the first images is above 2³⁰ or below 2⁻³⁰, or so far above or below in
  /// single channels; nil for all others.
  ///
  /// Channels that are not as far apart as that have one unit, and keep their proportions. What is usual is a median over
  /// images, since a single number may be anything: by the largest of all the others would vanish.
  /// - Parameter keepsProportions: Whether all channels have one unit, however far they are apart: for a jitter or a ridge,
  ///   which is a share of all channels' variance.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(n·d): 64 images are read.
  public init?(_ features: some TokenFeatures, keepsProportions: Bool = false) throws {
    let channels = features.featureDimensions
    let sample = try features.features(ofImages: 0..<min(features.imageCount, 64))
    let usual = Self.usualExponents(
      of: sample, numbersPerImage: features.grid.cellCount * channels, channels: channels)
    let known = usual.compactMap { $0 }.sorted()
    guard let middle = known.isEmpty ? nil : known[known.count / 2] else { return nil }
    func isFar(_ exponent: Int) -> Bool { abs(exponent) > Self.reach }
    let together = known.filter { keepsProportions || !isFar($0 - middle) }
    let shared = together.contains(where: isFar) ? middle : 0
    let exponents = usual.map { exponent in
      guard let exponent, !keepsProportions, isFar(exponent - middle) else { return shared }
      return isFar(exponent) ? exponent : 0
    }
    // What is so small that its reciprocal is no Float is raised as far as one goes.
    .map { max($0, -126) }
    guard exponents.contains(where: { $0 != 0 }) else { return nil }
    base = features
    units = exponents.map { pow(2, Double($0)) }
    factors = exponents.map { Float(sign: .plus, exponent: -$0, significand: 1) }
  }

  /// The exponent of each channel's largest number in an image, as the median over those in which it is not all zeros; nil
  /// for a channel of zeros.
  private static func usualExponents(
    of sample: [Float], numbersPerImage: Int, channels: Int
  ) -> [Int?] {
    var exponents = Array(repeating: [Int](), count: channels)
    for start in stride(from: 0, to: sample.count, by: numbersPerImage) {
      var largest = Array(repeating: Float(0), count: channels)
      for index in 0..<numbersPerImage {
        largest[index % channels] = max(largest[index % channels], abs(sample[start + index]))
      }
      for (channel, value) in largest.enumerated() where value > 0 && value.isFinite {
        exponents[channel].append(Int(value.exponent))
      }
    }
    return exponents.map { $0.isEmpty ? nil : $0.sorted()[$0.count / 2] }
  }

  /// The name of the features themselves.
  public var name: String { base.name }
  /// The grid the tokens stand on.
  public var grid: TokenGrid { base.grid }
  /// m.
  public var imageCount: Int { base.imageCount }
  /// d.
  public var featureDimensions: Int { base.featureDimensions }
  /// The photographs of the images.
  public var imageGroups: [UInt32]? { base.imageGroups }
  /// The classes of the images.
  public var imageClasses: [UInt32]? { base.imageClasses }
  /// What has been taken off the images.
  public var centredBy: [Int]? { base.centredBy }

  /// The scaled features of a run of images, row-major `images × n × d`.
  ///
  /// - Throws: What reading the features throws; ``EstimationError/outOfRange(source:image:cell:channel:usual:)`` where
  ///   a number is so much larger than what is usual in its channel that single precision cannot hold both.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    var values = try base.features(ofImages: images)
    let channels = featureDimensions
    for index in values.indices { values[index] *= factors[index % channels] }
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      let (image, number) = bad.quotientAndRemainder(dividingBy: grid.cellCount * channels)
      let (token, channel) = number.quotientAndRemainder(dividingBy: channels)
      throw EstimationError.outOfRange(
        source: name, image: images.lowerBound + image, cell: grid.cell(at: token),
        channel: channel, usual: units[channel])
    }
    return values
  }
}

extension OrderProfile {
  /// The profile of features that were divided by a unit, as that of the features themselves.
  ///
  /// - Parameter shift: What to add to the entropy of each token.
  func shifted(by shift: Double) -> OrderProfile {
    var result = self
    result.addToEntropies(shift)
    return result
  }
}

extension ConditionalEntropyMap {
  /// The map of features that were divided by a unit, as that of the features themselves.
  ///
  /// - Parameter shift: What to add to the entropy of each token.
  public func shifted(by shift: Double) -> ConditionalEntropyMap {
    var result = ConditionalEntropyMap(
      reference: reference, grid: grid,
      marginal: marginal.map {
        Estimate(value: $0.value + shift, standardError: $0.standardError)
      },
      information: information, entropyErrors: entropy.map { $0?.standardError ?? 0 },
      bound: bound, imageCount: imageCount, featureDimensions: featureDimensions)
    result.takeFacts(of: self)
    return result
  }
}
