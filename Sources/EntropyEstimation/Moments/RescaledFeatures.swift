import Foundation
import Statistics
import TokenData
import TokenGrids

/// Features divided by a power of two, where their own magnitude is such that squares would leave the range of single precision.
///
/// Entropies of d channels are those of the features themselves less d·log(unit); increases and informations are the same.
/// Division by a power of two rounds nothing.
public struct RescaledFeatures: TokenFeatures {
  private let base: any TokenFeatures
  /// What the features were divided by.
  public let unit: Double
  private let factor: Float

  /// What to add to the entropy of one token.
  public var entropyShift: Double { Double(featureDimensions) * log(unit) }

  /// Scales features whose largest magnitude among the first images is above 2³⁰ or below 2⁻³⁰; nil for all others.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(n·d): 64 images are read.
  public init?(_ features: some TokenFeatures) throws {
    let sample = try features.features(ofImages: 0..<min(features.imageCount, 64))
    let largest = sample.reduce(Float(0)) { max($0, abs($1)) }
    guard largest > 0, largest.isFinite, abs(largest.exponent) > 30 else { return nil }
    base = features
    unit = pow(2, Double(largest.exponent))
    factor = Float(sign: .plus, exponent: -largest.exponent, significand: 1)
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
  /// - Throws: What reading the features throws.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    try base.features(ofImages: images).map { $0 * factor }
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
