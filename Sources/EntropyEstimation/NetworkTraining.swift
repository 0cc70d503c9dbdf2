import Foundation
import LinearAlgebra
import TokenData

/// How the network of the `mlp` regressor is made and trained.
public struct NetworkSettings: Hashable, Sendable {
  /// Hidden units.
  public var hidden: Int
  /// The most passes over the training images.
  public var epochs: Int
  /// The step size at the start; it falls to zero as half a cosine.
  public var learningRate: Double

  /// Makes settings; without arguments those of the commands.
  public init(hidden: Int = 256, epochs: Int = 5, learningRate: Double = 4e-3) {
    self.hidden = hidden
    self.epochs = epochs
    self.learningRate = learningRate
  }

  /// The share of the images fitted to on which training is judged.
  static let validationShare = 0.15
  /// Epochs without improvement after which training stops.
  static let patience = 4
  /// The least number of steps that an epoch has, of which few images make small batches.
  static let leastSteps = 30
}

/// What a network is trained for: to take as much as it can off residuals that are there before it.
protocol NetworkProblem: Sendable {
  /// The numbers of an input row and of an output row.
  var inputs: Int { get }
  var outputs: Int { get }
  /// The rows that an image makes.
  var rowsPerImage: Int { get }
  /// The most images in a batch.
  var largestBatch: Int { get }

  /// Input rows of some images, in the order given, and the residuals w of each, rows × outputs.
  func rows(of images: [Int]) throws -> (inputs: SingleMatrix, residuals: SingleMatrix)
  /// w − K·y for predictions y; K belongs to the place of a row in its image.
  func residuals(_ residuals: SingleMatrix, predicted: SingleMatrix) -> SingleMatrix
  /// −Kᵀ·g: the gradient by the predictions, from that by the residuals.
  func gradient(ofResiduals gradient: SingleMatrix) -> SingleMatrix
}

extension Perceptron {
  /// Trains a network with AdamW, stopping early by the Gaussian log-likelihood of a validation part.
  ///
  /// Residuals are weighted by their inverse variance as of the epoch before, which makes the squared error the Gaussian
  /// negative log-likelihood with a diagonal covariance. Predictions are zero at first.
  ///
  /// - Parameters:
  ///   - validation: Images on which training is judged.
  ///   - training: Images to train on.
  ///   - progress: Told the mean validation loss an output row, in nats above that of residuals of variance 1.
  /// - Throws: ``EstimationError/trainingDiverged(source:epoch:)``, and what reading images throws.
  /// - Complexity: O(epochs · images · rows · hidden · (inputs + outputs)).
  init(
    for problem: some NetworkProblem, training: [Int], validation: [Int],
    settings: NetworkSettings, generator: inout NormalGenerator, source: String,
    progress: (Double) -> Void
  ) throws {
    let (inputs, hidden) = (problem.inputs, settings.hidden)
    var parameters = [Float](
      repeating: 0,
      count: Self.parameterCount(inputs: inputs, hidden: hidden, outputs: problem.outputs))
    let scale = (2 / Double(max(inputs, 1))).squareRoot()
    for index in 0..<hidden * inputs { parameters[index] = Float(scale * generator.next()) }
    for u in 0..<hidden { parameters[hidden * inputs + u] = Float(0.5 * generator.next()) }
    self.init(inputs: inputs, hidden: hidden, outputs: problem.outputs, parameters: parameters)

    var images = training
    let batch = min(problem.largestBatch, max(1, images.count / NetworkSettings.leastSteps))
    let batches = (images.count + batch - 1) / batch
    let total = Double(settings.epochs * batches)
    var optimizer = AdamW(parameterCount: parameters.count)
    var (variances, loss) = try validated(problem, validation)
    var best = (loss: loss, epoch: 0, parameters: parameters)
    for epoch in 1...max(settings.epochs, 1) {
      let weights = Self.weights(variances)
      generator.shuffle(&images)
      for index in 0..<batches {
        let chosen = images[index * batch..<min((index + 1) * batch, images.count)].sorted()
        let (rows, residuals) = try problem.rows(of: chosen)
        let (active, output) = forward(rows)
        var error = problem.residuals(residuals, predicted: output)
        let size = weights.count
        for element in error.elements.indices {
          error.elements[element] *= weights[element % size] / Float(rows.rows)
        }
        let done = Double((epoch - 1) * batches + index) / total
        let rate = settings.learningRate * 0.5 * (1 + cos(.pi * done))
        optimizer.step(
          &self.parameters,
          gradient: gradient(
            rows, active: active, outputGradient: problem.gradient(ofResiduals: error)),
          rate: Float(rate))
      }
      (variances, loss) = try validated(problem, validation)
      progress(loss)
      guard loss.isFinite else {
        throw EstimationError.trainingDiverged(source: source, epoch: epoch)
      }
      if loss < best.loss { best = (loss, epoch, self.parameters) }
      if epoch - best.epoch >= NetworkSettings.patience { break }
    }
    self.parameters = best.parameters
  }

  /// Inverse variances, 1 on average.
  private static func weights(_ variances: [Double]) -> [Float] {
    let inverse = variances.map { $0 > 0 ? min(1 / $0, 1e3) : 0 }
    let mean = inverse.reduce(0, +) / Double(max(inverse.count, 1))
    return inverse.map { Float($0 / max(mean, 1e-6)) }
  }

  /// The variance of every residual of an image, and ½ Σ log of it an output row.
  private func validated(
    _ problem: some NetworkProblem, _ images: [Int]
  ) throws -> (variances: [Double], loss: Double) {
    let size = problem.rowsPerImage * problem.outputs
    var sums = [Double](repeating: 0, count: size)
    for start in stride(from: 0, to: images.count, by: problem.largestBatch) {
      let (rows, residuals) = try problem.rows(
        of: Array(images[start..<min(start + problem.largestBatch, images.count)]))
      let error = problem.residuals(residuals, predicted: forward(rows).output)
      for (index, value) in error.elements.enumerated() {
        sums[index % size] += Double(value) * Double(value)
      }
    }
    let variances = sums.map { $0 / Double(max(images.count, 1)) }
    let logarithms = variances.reduce(0.0) { $0 + ($1 > 0 ? 0.5 * log($1) : 0) }
    return (variances, logarithms / Double(max(problem.rowsPerImage, 1)))
  }
}
