import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData

/// How the network of the `mlp` regressor is made and trained.
public struct NetworkSettings: Hashable, Sendable {
  /// Hidden units.
  public var hidden: Int
  /// The most passes over the training images; nil for as many as make 2,000 steps, but at least 5, and no more than those
  /// where they pass 200 million numbers: a small map is trained in a second, while an order of photographs takes
  /// minutes for 5.
  public var epochs: Int?
  /// The step size at the start; it falls to zero as half a cosine.
  public var learningRate: Double

  /// Makes settings; without arguments those of the commands.
  public init(hidden: Int = 256, epochs: Int? = nil, learningRate: Double = 1e-2) {
    self.hidden = hidden
    self.epochs = epochs
    self.learningRate = learningRate
  }

  /// The share of the images fitted to on which training is judged.
  static let validationShare = 0.15
  /// The epochs without improvement after which training of at most so many stops. It must outlast the first part of the
  /// cosine, in which steps are too long for a loss to settle: with 4 of 1000 nothing but that part would ever be seen.
  static func patience(epochs: Int) -> Int { max(4, epochs / 2) }

  /// The most epochs of a problem.
  ///
  /// - Parameters:
  ///   - batches: The steps of an epoch.
  ///   - numbers: The numbers that go in and come out in an epoch.
  func epochs(batches: Int, numbers: Int) -> Int {
    if let epochs { return max(epochs, 1) }
    let (steps, most) = (2_000, 200_000_000)
    return max(5, min((steps + batches - 1) / max(batches, 1), most / max(numbers, 1)))
  }

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
  /// The standard deviation of the hidden units' first biases, of inputs of about 1: how far out functions bend.
  var biasDeviation: Double { get }
  /// The neighbouring outputs of a row of which one share is kept in the end, so that training is judged by what that share
  /// leaves; nil where predictions are taken as they are.
  var outputsOfShare: Int? { get }

  /// Input rows of some images, in the order given, and the residuals w of each, rows × outputs.
  func rows(of images: [Int]) throws -> (inputs: FloatMatrix, residuals: FloatMatrix)
  /// w − K·y for predictions y; K belongs to the place of a row in its image.
  func residuals(_ residuals: FloatMatrix, predicted: FloatMatrix) -> FloatMatrix
  /// −Kᵀ·g: the gradient by the predictions, from that by the residuals.
  func gradient(ofResiduals gradient: FloatMatrix) -> FloatMatrix
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
  ///   - progress: Told the mean validation loss an output row, in nats above that of residuals of variance 1, and how many
  ///     epochs there are at most.
  /// - Throws: ``EstimationError/trainingDiverged(source:epoch:)``, and what reading images throws.
  /// - Complexity: O(epochs · images · rows · hidden · (inputs + outputs)).
  init(
    for problem: some NetworkProblem, training: [Int], validation: [Int],
    settings: NetworkSettings, generator: inout NormalGenerator, source: String,
    progress: (Double, Int) -> Void
  ) throws {
    let (inputs, hidden) = (problem.inputs, settings.hidden)
    var parameters = [Float](
      repeating: 0,
      count: Self.parameterCount(inputs: inputs, hidden: hidden, outputs: problem.outputs))
    // Small enough that the first functions are smooth: on photographs half the variance predicts better than He's 2/inputs.
    let scale = (1 / Double(max(inputs, 1))).squareRoot()
    for index in 0..<hidden * inputs { parameters[index] = Float(scale * generator.next()) }
    for u in 0..<hidden {
      parameters[hidden * inputs + u] = Float(problem.biasDeviation * generator.next())
    }
    self.init(inputs: inputs, hidden: hidden, outputs: problem.outputs, parameters: parameters)

    var images = training
    let batch = min(problem.largestBatch, max(1, images.count / NetworkSettings.leastSteps))
    let batches = (images.count + batch - 1) / batch
    let epochs = settings.epochs(
      batches: batches,
      numbers: images.count * problem.rowsPerImage * (inputs + problem.outputs))
    let total = Double(epochs * batches)
    var optimizer = AdamW(parameterCount: parameters.count)
    var (variances, loss) = try validated(problem, validation)
    var best = (loss: loss, epoch: 0, parameters: parameters)
    for epoch in 1...epochs {
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
      progress(loss, epochs)
      guard loss.isFinite else {
        throw EstimationError.trainingDiverged(source: source, epoch: epoch)
      }
      if loss < best.loss { best = (loss, epoch, self.parameters) }
      if epoch - best.epoch >= NetworkSettings.patience(epochs: epochs) { break }
    }
    self.parameters = best.parameters
  }

  /// Inverse variances, 1 on average.
  private static func weights(_ variances: [Double]) -> [Float] {
    let inverse = variances.map { $0 > 0 ? min(1 / $0, 1e3) : 0 }
    let mean = inverse.reduce(0, +) / Double(max(inverse.count, 1))
    return inverse.map { Float($0 / max(mean, 1e-6)) }
  }

  /// The variance of every residual of an image, and ½ Σ log of it an output row, with the shares that the problem keeps.
  private func validated(
    _ problem: some NetworkProblem, _ images: [Int]
  ) throws -> (variances: [Double], loss: Double) {
    let size = problem.rowsPerImage * problem.outputs
    // Σ e², and of what is taken off: Σ (w − e)² and Σ w·(w − e).
    var sums = [Double](repeating: 0, count: size)
    var (squares, products) = (sums, sums)
    for start in stride(from: 0, to: images.count, by: problem.largestBatch) {
      let (rows, residuals) = try problem.rows(
        of: Array(images[start..<min(start + problem.largestBatch, images.count)]))
      let error = problem.residuals(residuals, predicted: forward(rows).output)
      for (index, value) in error.elements.enumerated() {
        let own = Double(value)
        sums[index % size] += own * own
        if problem.outputsOfShare != nil {
          let before = Double(residuals.elements[index])
          squares[index % size] += (before - own) * (before - own)
          products[index % size] += before * (before - own)
        }
      }
    }
    var kept = sums
    if let width = problem.outputsOfShare {
      for first in stride(from: 0, to: size, by: width) {
        let outputs = first..<first + width
        let share = bestShare(
          product: products[outputs].reduce(0, +), square: squares[outputs].reduce(0, +))
        // Σ (w − α(w − e))² from e = w − (w − e).
        for index in outputs {
          kept[index] +=
            2 * (1 - share) * (products[index] - squares[index])
            + (1 - share) * (1 - share) * squares[index]
        }
      }
    }
    let count = Double(max(images.count, 1))
    let logarithms = kept.reduce(0.0) { $0 + ($1 > 0 ? 0.5 * log($1 / count) : 0) }
    return (sums.map { $0 / count }, logarithms / Double(max(problem.rowsPerImage, 1)))
  }
}

/// The share of predictions y, 0 to 1, that makes residuals w − α·y smallest.
///
/// - Parameters:
///   - product: Σ w·y.
///   - square: Σ y².
func bestShare(product: Double, square: Double) -> Double {
  square > 0 ? min(max(product / square, 0), 1) : 1
}
