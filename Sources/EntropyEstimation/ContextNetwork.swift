import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// How the network of the `mlp` regressor is made and trained.
public struct NetworkSettings: Hashable, Sendable {
  /// Hidden units.
  public var hidden: Int
  /// The most passes over the training images.
  public var epochs: Int
  /// The step size at the start; it falls to zero as half a cosine.
  public var learningRate: Double

  /// Makes settings; without arguments those of the commands.
  public init(hidden: Int = 256, epochs: Int = 30, learningRate: Double = 2e-3) {
    self.hidden = hidden
    self.epochs = epochs
    self.learningRate = learningRate
  }

  /// Images in a batch at most; few images make smaller ones, so that an epoch has enough steps.
  static let largestBatch = 256
  /// The share of the images fitted to on which training is judged, and which the residual covariance of the held-out bound
  /// is taken from.
  static let validationShare = 0.15
  /// Epochs without improvement after which training stops.
  static let patience = 6
}

/// A ``PrefixNetwork`` trained to predict tokens from the contexts that an order produces: the `mlp` regressor, one
/// mask-conditioned network for all targets and contexts of an order.
struct ContextNetwork: Sendable {
  let order: GenerationOrder
  private var network: PrefixNetwork
  /// Of each coordinate, in the order's sequence.
  private let mean: [Float]
  private let deviation: [Float]
  /// The images whose residuals Σ is taken from, of those fitted to.
  let calibration: [Int]

  /// Trains on some images with AdamW, stopping early by the Gaussian log-likelihood of a validation part.
  ///
  /// Outputs are weighted by their inverse residual variance as of the epoch before, which makes the squared error the
  /// Gaussian negative log-likelihood with a diagonal covariance.
  ///
  /// - Parameters:
  ///   - readsEveryPrefix: Whether sequential contexts are wanted too.
  ///   - progress: Told the epoch and the mean validation loss a token, in nats.
  /// - Throws: What reading the features throws.
  /// - Complexity: O(epochs·m·n·d·hidden).
  init(
    of order: GenerationOrder, fittedTo features: some TokenFeatures, settings: NetworkSettings,
    seed: UInt64, readsEveryPrefix: Bool = true, progress: (Int, Double) -> Void = { _, _ in }
  ) throws {
    let (n, d) = (order.grid.cellCount, features.featureDimensions)
    var generator = NormalGenerator(seed: seed, stream: 3)
    var images = Array(0..<features.imageCount)
    generator.shuffle(&images)
    let validationCount = max(
      Int((Double(images.count) * NetworkSettings.validationShare).rounded()), d + 4)
    guard images.count - validationCount >= 8 else {
      throw EstimationError.tooFewImagesToTrain(
        source: features.name, images: images.count, needed: validationCount + 8)
    }
    let validation = images.prefix(validationCount).sorted()
    var training = images.dropFirst(validationCount).sorted()
    self.order = order
    calibration = validation

    let sample = try features.spreadSample(of: 0..<features.imageCount)
    var moments = [RunningMoments](repeating: RunningMoments(), count: n * d)
    for row in 0..<sample.count / (n * d) {
      for c in 0..<n * d { moments[c].add(Double(sample[row * n * d + c])) }
    }
    let coordinates = order.sequence.flatMap { cell in (0..<d).map { cell * d + $0 } }
    mean = coordinates.map { Float(moments[$0].mean) }
    deviation = coordinates.map {
      moments[$0].variance > 0 ? Float(moments[$0].variance.squareRoot()) : 1
    }

    let hidden = settings.hidden
    var groups: [Range<Int>] = []
    for step in order.steps {
      let first = groups.last?.upperBound ?? 0
      groups.append(first..<first + step.count)
    }
    var parameters = [Float](
      repeating: 0, count: PrefixNetwork.parameterCount(blocks: n, blockSize: d, hidden: hidden))
    for u in 0..<hidden { parameters[u] = Float(0.5 * generator.next()) }
    var trained = PrefixNetwork(
      blockSize: d, hidden: hidden, groups: groups, readsEveryPrefix: readsEveryPrefix,
      parameters: parameters)
    let inputScale = (2 / Double(n * d)).squareRoot()
    for index in trained.inputWeights {
      trained.parameters[index] = Float(inputScale * generator.next())
    }
    let readoutScale = 0.3 / Double(hidden).squareRoot()
    let readout = trained.inputWeights.count
    for start in [
      trained.inputWeights.upperBound, trained.inputWeights.upperBound + readout + n * d,
    ] {
      for index in start..<start + readout {
        trained.parameters[index] = Float(readoutScale * generator.next())
      }
    }

    network = trained
    var optimizer = AdamW(parameterCount: trained.parameters.count)
    let batch = min(NetworkSettings.largestBatch, max(16, training.count / 30))
    let batches = (training.count + batch - 1) / batch
    let total = Double(settings.epochs * batches)
    var weights = [Float](repeating: 1, count: 2 * n * d)
    var best = (loss: Double.infinity, epoch: 0, parameters: trained.parameters)
    for epoch in 1...max(settings.epochs, 1) {
      generator.shuffle(&training)
      for index in 0..<batches {
        let chosen = training[index * batch..<min((index + 1) * batch, training.count)].sorted()
        let rows = try standardised(ImageSubset(of: features, images: chosen), 0..<chosen.count)
        let done = Double((epoch - 1) * batches + index) / total
        let rate = settings.learningRate * 0.5 * (1 + cos(.pi * done))
        optimizer.step(
          &trained.parameters, gradient: trained.gradient(ofRows: rows, weights: weights),
          rate: Float(rate))
      }
      let variances = try Self.residualVariances(trained) { range in
        try standardised(ImageSubset(of: features, images: validation), range)
      } count: {
        validation.count
      }
      let relevant = variances.filter { $0 > 0 }
      let loss =
        relevant.reduce(0.0) { $0 + 0.5 * log($1) } / Double(max(relevant.count, 1)) * Double(d)
      if loss < best.loss { best = (loss, epoch, trained.parameters) }
      progress(epoch, loss)
      guard loss.isFinite else {
        throw EstimationError.trainingDiverged(source: features.name, epoch: epoch)
      }
      if epoch - best.epoch >= NetworkSettings.patience { break }
      weights = variances.map { $0 > 0 ? Float(min(1 / $0, 1e3)) : 0 }
      let meanWeight = weights.reduce(0, +) / Float(max(relevant.count, 1))
      for i in weights.indices { weights[i] /= max(meanWeight, 1e-6) }
    }
    trained.parameters = best.parameters
    network = trained
  }

  /// Rows of images, standardised, in the order's sequence.
  private func standardised(
    _ features: some TokenFeatures, _ images: Range<Int>
  ) throws -> SingleMatrix {
    let d = features.featureDimensions
    let columns = mean.count
    let values = try features.features(ofImages: images)
    var rows = SingleMatrix(rows: images.count, columns: columns)
    for (position, cell) in order.sequence.enumerated() {
      for c in 0..<d {
        let (from, to) = (cell * d + c, position * d + c)
        for i in 0..<images.count {
          rows.elements[i * columns + to] = (values[i * columns + from] - mean[to]) / deviation[to]
        }
      }
    }
    return rows
  }

  /// The mean squared residual of each coordinate's first readout, then of each one's second; 0 where it is not read.
  private static func residualVariances(
    _ network: PrefixNetwork, rows: (Range<Int>) throws -> SingleMatrix, count: () -> Int
  ) rethrows -> [Double] {
    let size = network.blocks * network.blockSize
    var sums = [Double](repeating: 0, count: 2 * size)
    let images = count()
    for start in stride(from: 0, to: images, by: imagesPerBlock) {
      let block = start..<min(start + imagesPerBlock, images)
      let (first, second) = network.residuals(ofRows: try rows(block))
      for i in 0..<block.count {
        for c in 0..<size {
          let (a, b) = (Double(first.elements[i * size + c]), Double(second.elements[i * size + c]))
          sums[c] += a * a
          sums[size + c] += b * b
        }
      }
    }
    // A group's first block has no second readout of its own.
    for group in network.groups {
      for c in group.lowerBound * network.blockSize..<(group.lowerBound + 1) * network.blockSize {
        sums[size + c] = 0
      }
    }
    return sums.map { $0 / Double(max(images, 1)) }
  }

  private static let imagesPerBlock = 256

  /// The Gaussian law of the residuals of every position and readout, taken from some images.
  struct ResidualLaw {
    /// The entropy that ``EntropyBound/entropy(logDeterminant:_:)`` gives; of sequential, then of parallel residuals.
    let entropy: [[Double]]
    /// Σ⁻¹ = c·W⁻¹.
    let divisor: Double
    fileprivate let factors: [[CholeskyFactor?]]
    fileprivate let means: [[Double]]
  }

  /// Takes the residual covariances from images.
  ///
  /// - Throws: ``EstimationError`` for residuals without spread, and what reading the features throws.
  /// - Complexity: O(images·n·d·(hidden + d)).
  func residualLaw(of features: some TokenFeatures, bound: EntropyBound) throws -> ResidualLaw {
    let (n, d, m) = (order.grid.cellCount, features.featureDimensions, features.imageCount)
    var sums = [[Double]](repeating: Array(repeating: 0, count: n * d), count: 2)
    var products = [[Double]](repeating: Array(repeating: 0, count: n * d * d), count: 2)
    try forEachBlock(of: features) { count, residuals in
      for (kind, matrix) in residuals.enumerated() {
        for i in 0..<count {
          for t in 0..<n {
            let first = (i * n + t) * d
            for a in 0..<d {
              let value = Double(matrix.elements[first + a])
              sums[kind][t * d + a] += value
              for b in 0...a {
                products[kind][(t * d + a) * d + b] += value * Double(matrix.elements[first + b])
              }
            }
          }
        }
      }
    }
    let fit = ResidualFit(imageCount: m, channels: d, predictors: 0)
    let sequence = order.sequence
    var entropy = [[Double]](repeating: Array(repeating: .nan, count: n), count: 2)
    var factors = [[CholeskyFactor?]](repeating: Array(repeating: nil, count: n), count: 2)
    for kind in 0..<2 {
      for t in 0..<n where kind == 1 || network.readsEveryPrefix || isFirst(t) {
        var scatter = Matrix(rows: d, columns: d)
        for a in 0..<d {
          for b in 0...a {
            scatter[a, b] =
              products[kind][(t * d + a) * d + b]
              - sums[kind][t * d + a] * sums[kind][t * d + b] / Double(m)
          }
        }
        do throws(NotPositiveDefinite) {
          let factor = try CholeskyFactor(ofLowerTriangle: scatter)
          let scale = (0..<d).reduce(0.0) { $0 + log(Double(deviation[t * d + $1])) }
          entropy[kind][t] =
            bound.entropy(logDeterminant: factor.logDeterminant, fit) + scale
          factors[kind][t] = factor
        } catch {
          throw EstimationError.constantChannel(
            source: features.name, cell: order.grid.cell(at: sequence[t]), channel: error.index,
            images: m)
        }
      }
    }
    return ResidualLaw(
      entropy: entropy, divisor: bound == .heldOut ? fit.predictiveDivisor : Double(m),
      factors: factors, means: sums.map { $0.map { $0 / Double(m) } })
  }

  private func isFirst(_ position: Int) -> Bool {
    network.groups.contains { $0.lowerBound == position }
  }

  private func forEachBlock(
    of features: some TokenFeatures, _ body: (Int, [SingleMatrix]) -> Void
  ) throws {
    for start in stride(from: 0, to: features.imageCount, by: Self.imagesPerBlock) {
      let images = start..<min(start + Self.imagesPerBlock, features.imageCount)
      let (first, second) = network.residuals(ofRows: try standardised(features, images))
      body(images.count, [first, second])
    }
  }

  /// Calls `body` with every image's losses by position, sequential and parallel; NaN where a readout is not wanted.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·n·d·(hidden + d)).
  func forEachLoss(
    of features: some TokenFeatures, law: ResidualLaw, _ body: ([Double], [Double]) -> Void
  ) throws {
    let (n, d) = (order.grid.cellCount, features.featureDimensions)
    try forEachBlock(of: features) { count, residuals in
      var losses = [[Double]](repeating: Array(repeating: .nan, count: count * n), count: 2)
      for (kind, matrix) in residuals.enumerated() {
        for t in 0..<n {
          guard let factor = law.factors[kind][t] else { continue }
          var block = Matrix(rows: count, columns: d)
          for i in 0..<count {
            for c in 0..<d {
              block[i, c] =
                Double(matrix.elements[(i * n + t) * d + c]) - law.means[kind][t * d + c]
            }
          }
          for (i, norm) in factor.whiten(rows: block).squaredRowNorms.enumerated() {
            losses[kind][i * n + t] =
              law.entropy[kind][t] + 0.5 * (law.divisor * norm - Double(d))
          }
        }
      }
      for i in 0..<count {
        body(Array(losses[0][i * n..<(i + 1) * n]), Array(losses[1][i * n..<(i + 1) * n]))
      }
    }
  }
}
