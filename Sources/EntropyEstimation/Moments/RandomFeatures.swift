import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// Features of tokens with random nonlinear functions φ(v) of each token added to its channels, so that a regression that is
/// linear in the coordinates is nonlinear in v: random ReLU units, or random Fourier features (Rahimi and Recht, 2007).
///
/// Every token has the same functions. A unit projects the token, standardised by the mean and standard deviation of each
/// channel, on a random direction; a ReLU unit bends at a random quantile between 0.1% and 99.9% of the projections of a
/// sample, so that none is idle and functions bend in the tails too, and a Fourier unit is the cosine of the projection plus
/// a random phase.
///
/// Several times as many functions are drawn as are kept. Those are kept one by one that have the largest variance which
/// neither the channels nor the functions kept before explain (`GreedySelection`): draws that repeat each other would cost
/// degrees of freedom for nothing. It closes about as much of the gap between a line and the truth as twice the number of
/// functions that are kept as they come.
public struct RandomFeatures<Base: TokenFeatures>: TokenFeatures {
  /// The tokens.
  public let base: Base
  /// The functions added to each token.
  public let count: Int
  /// Their kind.
  public let kind: RandomFeatureKind
  /// The directions, on the channels as they are: count × d, row-major.
  private var directions: FloatMatrix
  /// What is added to each projection.
  private var offsets: [Float]

  /// Draws the functions.
  ///
  /// - Parameters:
  ///   - base: The tokens; mean, spread and quantiles come from a sample of 4,096 of them.
  ///   - count: How many functions a token has.
  ///   - kind: What they are.
  ///   - seed: The same seed gives the same functions.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(4096·k²) for k functions drawn, eight times those kept but at most 1,024.
  public init(of base: Base, count: Int, kind: RandomFeatureKind = .relu, seed: UInt64) throws {
    let d = base.featureDimensions
    var normal = NormalGenerator(seed: seed, stream: 2)
    let sample = try base.tokenSample(using: &normal)
    var channels = [RunningMoments](repeating: RunningMoments(), count: d)
    for token in 0..<sample.rows {
      for c in 0..<d { channels[c].add(Double(sample[token, c])) }
    }
    let candidates = max(
      count, min(count * Self.candidatesPerFunction, Self.largestCandidateCount))
    var directions = FloatMatrix(rows: candidates, columns: d)
    for index in directions.elements.indices {
      directions.elements[index] = Float(
        normal.next() / (channels[index % d].variance * Double(d)).squareRoot().nonzero)
    }
    let projections = FloatMatrix.product(directions, sample, transposingSecond: true)
    let offsets = (0..<candidates).map { u in
      var values = Array(projections.elements[u * sample.rows..<(u + 1) * sample.rows])
      switch kind {
      case .relu:
        values.sort()
        let quantile = Self.tail + (1 - 2 * Self.tail) * normal.uniform()
        return -values[Int(quantile * Double(values.count - 1))]
      case .fourier:
        let mean = values.reduce(0, +) / Float(values.count)
        return Float(2 * Double.pi * normal.uniform()) - mean
      }
    }
    self.base = base
    self.count = count
    self.kind = kind
    self.directions = directions
    self.offsets = offsets
    guard candidates > count else { return }
    let values = appended(to: sample)
    let centre = (0..<values.columns).map { column in
      (0..<values.rows).reduce(0.0) { $0 + Double(values[$1, column]) } / Double(values.rows)
    }
    var rows = Matrix(rows: values.rows, columns: values.columns)
    for index in rows.elements.indices {
      rows.elements[index] = Double(values.elements[index]) - centre[index % values.columns]
    }
    var scatter = Matrix(rows: values.columns, columns: values.columns)
    scatter.addScatter(ofRows: rows)
    let kept = GreedySelection.columns(of: scatter, after: d, count: count).map { $0 - d }
    self.directions = directions.rows(kept)
    self.offsets = kept.map { offsets[$0] }
  }

  /// How many functions are drawn for each that is kept.
  private static var candidatesPerFunction: Int { 8 }
  /// The most functions that are drawn if not as many are kept: the selection takes their scatter.
  private static var largestCandidateCount: Int { 1024 }
  /// The share of the projections beyond which no ReLU unit bends, at either end. Optimal knots of a piecewise linear
  /// function are much more evenly spread than the data, and the squares that tails need are linear beyond the last.
  private static var tail: Double { 0.001 }

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
    let values = try base.features(ofImages: images)
    let d = base.featureDimensions
    return appended(
      to: FloatMatrix(rows: values.count / d, columns: d, elements: values)
    ).elements
  }

  /// The channels and functions of tokens, tokens × (d + count).
  ///
  /// - Parameter tokens: tokens × d.
  func appended(to tokens: FloatMatrix) -> FloatMatrix {
    let (d, r) = (tokens.columns, directions.rows)
    let projections = FloatMatrix.product(tokens, directions, transposingSecond: true)
    var result = FloatMatrix(rows: tokens.rows, columns: d + r)
    for token in 0..<tokens.rows {
      let first = token * (d + r)
      for c in 0..<d { result.elements[first + c] = tokens.elements[token * d + c] }
      for u in 0..<r {
        let value = projections.elements[token * r + u] + offsets[u]
        result.elements[first + d + u] = kind == .relu ? max(value, 0) : cos(value)
      }
    }
    return result
  }
}

extension TokenFeatures {
  /// At most 4,096 tokens of images spread evenly over all, tokens × d, at random places of the grid.
  fileprivate func tokenSample(using normal: inout NormalGenerator) throws -> FloatMatrix {
    let d = featureDimensions
    let values = try spreadSample(of: 0..<imageCount)
    let tokens = values.count / d
    let count = min(tokens, 4096)
    // One of each run of tokens; places at equal distances could all be of one column of the grid.
    let chosen = (0..<count).map { index in
      let (first, end) = (index * tokens / count, (index + 1) * tokens / count)
      return first + normal.index(below: end - first)
    }
    return FloatMatrix(
      rows: count, columns: d, elements: chosen.flatMap { values[$0 * d..<($0 + 1) * d] })
  }
}

/// The share of their mean variance that is added to the variances of random functions.
///
/// Cosines gain by 10⁻⁶ where all is smooth (0.99 to 0.994 of the gap of a toy) and lose more by it where tails matter, as
/// with |v| (0.90 to 0.87): one value serves both kinds.
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
    let (first, second) = generator.nextNormalPair()
    spare = second
    return first
  }

  mutating func shuffle<Element>(_ elements: inout [Element]) { generator.shuffle(&elements) }

  mutating func index(below bound: Int) -> Int { generator.nextIndex(below: bound) }
}
