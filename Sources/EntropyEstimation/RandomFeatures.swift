import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// Features of tokens with random nonlinear functions φ(v) of each token added to its channels, so that a regression that is
/// linear in the coordinates is nonlinear in v: random ReLU units, or random Fourier features (Rahimi and Recht, 2007).
///
/// Every token has the same functions. A unit projects the token, standardised by the mean and standard deviation of each
/// channel, on a random direction; a ReLU unit bends at a random quantile between 10% and 90% of the projections of a sample,
/// so that none is idle, and a Fourier unit is the cosine of the projection plus a random phase.
public struct RandomFeatures<Base: TokenFeatures>: TokenFeatures {
  /// The tokens.
  public let base: Base
  /// The functions added to each token.
  public let count: Int
  /// Their kind.
  public let kind: RandomFeatureKind
  /// The directions, on the channels as they are: count × d, row-major.
  private let directions: [Float]
  /// What is added to each projection.
  private let offsets: [Float]

  /// Draws the functions.
  ///
  /// - Parameters:
  ///   - base: The tokens; mean, spread and quantiles come from a sample of about a thousand of its images.
  ///   - count: How many functions a token has.
  ///   - kind: What they are.
  ///   - seed: The same seed gives the same functions.
  /// - Throws: What reading the features throws.
  public init(of base: Base, count: Int, kind: RandomFeatureKind = .relu, seed: UInt64) throws {
    let d = base.featureDimensions
    let sample = try base.spreadSample(of: 0..<base.imageCount)
    let tokens = sample.count / d
    var channels = [RunningMoments](repeating: RunningMoments(), count: d)
    for token in 0..<tokens {
      for c in 0..<d { channels[c].add(Double(sample[token * d + c])) }
    }
    var normal = NormalGenerator(seed: seed, stream: 2)
    var directions: [Float] = []
    var offsets: [Float] = []
    for _ in 0..<count {
      let direction = channels.map { channel in
        Float(normal.next() / (channel.variance * Double(d)).squareRoot().nonzero)
      }
      var projections = (0..<tokens).map { token in
        (0..<d).reduce(Float(0)) { $0 + direction[$1] * sample[token * d + $1] }
      }
      switch kind {
      case .relu:
        projections.sort()
        let quantile = 0.1 + 0.8 * normal.uniform()
        offsets.append(-projections[Int(quantile * Double(tokens - 1))])
      case .fourier:
        let mean = projections.reduce(0, +) / Float(max(tokens, 1))
        offsets.append(Float(2 * Double.pi * normal.uniform()) - mean)
      }
      directions += direction
    }
    self.base = base
    self.count = count
    self.kind = kind
    self.directions = directions
    self.offsets = offsets
  }

  /// The name of the tokens.
  public var name: String { base.name }
  /// The grid the tokens stand on.
  public var grid: TokenGrid { base.grid }
  /// m.
  public var imageCount: Int { base.imageCount }
  /// The photographs of the images.
  public var imageGroups: [UInt32]? { base.imageGroups }
  /// The classes of the images.
  public var imageClasses: [UInt32]? { base.imageClasses }
  /// d and the number of functions: the tokens' own channels come first.
  public var featureDimensions: Int { base.featureDimensions + count }

  /// The channels and functions of a run of images, row-major `images × n × (d + count)`.
  ///
  /// - Throws: What reading the tokens throws.
  /// - Complexity: O(images·n·d·count).
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    let (d, r) = (base.featureDimensions, count)
    let values = try base.features(ofImages: images)
    let tokens = values.count / d
    let projections = SingleMatrix.product(
      SingleMatrix(rows: tokens, columns: d, elements: values),
      SingleMatrix(rows: r, columns: d, elements: directions), transposingSecond: true
    ).elements
    var result = [Float](repeating: 0, count: tokens * (d + r))
    for token in 0..<tokens {
      let first = token * (d + r)
      for c in 0..<d { result[first + c] = values[token * d + c] }
      for u in 0..<r {
        let value = projections[token * r + u] + offsets[u]
        result[first + d + u] = kind == .relu ? max(value, 0) : cos(value)
      }
    }
    return result
  }
}

/// The share of their mean variance that is added to the variances of random functions.
public let randomFeatureRidge = 1e-4

/// The kinds of random features.
public enum RandomFeatureKind: String, CaseIterable, Sendable, Codable {
  /// max(0, w·v + b).
  case relu
  /// cos(w·v + b).
  case fourier
}

extension Double {
  /// The number, or 1 where it is zero: constant channels are not scaled.
  fileprivate var nonzero: Double { self > 0 ? self : 1 }
}

/// Standard normal numbers from a seed, by Box and Muller's method.
struct NormalGenerator {
  private var generator: SeededGenerator
  private var spare: Double?

  init(seed: UInt64, stream: UInt64) { generator = SeededGenerator(seed: seed, stream: stream) }

  mutating func uniform() -> Double { generator.nextUniform() }

  mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let radius = (-2 * log(1 - generator.nextUniform())).squareRoot()
    let angle = 2 * Double.pi * generator.nextUniform()
    spare = radius * sin(angle)
    return radius * cos(angle)
  }

  mutating func shuffle<Element>(_ elements: inout [Element]) { generator.shuffle(&elements) }

  mutating func index(below bound: Int) -> Int { generator.nextIndex(below: bound) }
}
