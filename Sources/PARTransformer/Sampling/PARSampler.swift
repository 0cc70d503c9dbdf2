import LinearAlgebra
import NeuralKernels
import TokenGrids

/// Draws images from a PAR transformer, several at once, one forward pass for each step of the order.
///
/// The class alone predicts the first token; n − 1 single steps follow, then the step in which the transition tokens
/// join, then groups of n. Keys and values of all positions are kept. (PAR, section 3.3.)
public struct PARSampler: Sendable {
  /// The parameters.
  public let weights: PARWeights
  /// The sequence that is generated.
  public let sequence: PARSequence
  /// How tokens are drawn.
  public let options: SamplingOptions
  let team: WorkerTeam

  /// Makes a sampler.
  ///
  /// - Throws: ``PARError`` when the sequence does not fit the model or an option is out of range.
  public init(
    weights: PARWeights, sequence: PARSequence, options: SamplingOptions, team: WorkerTeam
  ) throws(PARError) {
    try options.validate()
    guard sequence.tokensPerStep == weights.configuration.tokensPerStep else {
      throw .wrongTokensPerStep(
        asked: sequence.tokensPerStep, model: weights.configuration.tokensPerStep)
    }
    self.weights = weights
    self.sequence = sequence
    self.options = options
    self.team = team
  }

  /// The number of forward passes for one batch.
  public var passCount: Int { sequence.passes.count }

  /// Generates one image for each label and returns its codes in raster order, `images × N`.
  ///
  /// Image i depends on the weights, its label, the options' seed and i alone: not on the batch size, nor on the
  /// number of threads.
  ///
  /// - Parameters:
  ///   - labels: the class of each image.
  ///   - firstImage: i of the first of them: runs that continue each other make the images of one run.
  ///   - progress: called after each step.
  /// - Throws: ``PARError`` for a class out of range or logits that are not numbers.
  public func generate(
    labels: [Int], firstImage: Int = 0, progress: ((SamplingProgress) -> Void)? = nil
  ) throws(PARError) -> [[Int]] {
    try draw(labels: labels, firstImage: firstImage, progress: progress)
  }
}

extension PARSampler: StepwiseSampler {
  var classes: Int { weights.configuration.classes }
  var nullClass: Int { weights.configuration.nullClass }
  var steps: [PARSequence.Pass] { sequence.passes }

  func model(slots: Int) throws(PARError) -> PARTransformer {
    try PARTransformer(
      weights: weights, sequence: sequence, attention: options.attention, slots: slots,
      team: team)
  }

  func cells(ofImage index: Int) -> [Int] { sequence.cells }

  func logits(
    _ model: PARTransformer, _ pass: PARSequence.Pass, labels: [Int], batch: SampledBatch
  ) -> PassLogits {
    model.forward(positions: pass.positions, labels: labels, token: batch.token)
    return model.logits
  }
}

extension PARSequence.Pass: SampledPass {
  var logitCount: Int { positions.count }
}
