import LinearAlgebra
import NeuralKernels
import Statistics
import TokenGrids

/// Draws images from a PAR transformer, several at once, one forward pass for each step of the order.
///
/// The class alone predicts the first token; n − 1 single steps follow, then the step in which the transition tokens
/// join, then groups of n. Keys and values of all positions are kept. (PAR, section 3.3.)
public struct PARSampler: Sendable {
  /// How far a run has come.
  public struct Progress: Sendable {
    /// Images finished before this batch.
    public let finishedImages: Int
    /// Images in this batch.
    public let batchImages: Int
    /// Tokens of each image of this batch that are known.
    public let tokens: Int
  }

  /// The parameters.
  public let weights: PARWeights
  /// The sequence that is generated.
  public let sequence: PARSequence
  /// How tokens are drawn.
  public let options: SamplingOptions
  private let team: WorkerTeam

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
  ///   - progress: called after each step.
  /// - Throws: ``PARError`` for a class out of range or logits that are not numbers.
  public func generate(
    labels: [Int], progress: ((Progress) -> Void)? = nil
  ) throws(PARError) -> [[Int]] {
    for label in labels where !(0..<weights.configuration.classes).contains(label) {
      throw .classOutOfRange(label: label, classes: weights.configuration.classes)
    }
    guard !labels.isEmpty else { return [] }
    let batchSize = min(options.batchSize, labels.count)
    let model = try PARTransformer(
      weights: weights, sequence: sequence, attention: options.attention,
      slots: options.guidance > 1 ? 2 * batchSize : batchSize, team: team)
    var images: [[Int]] = []
    for first in stride(from: 0, to: labels.count, by: batchSize) {
      let last = min(first + batchSize, labels.count)
      images += try generateBatch(
        model: model, labels: Array(labels[first..<last]), firstImage: first, progress: progress)
    }
    return images
  }

  private func generateBatch(
    model: PARTransformer, labels: [Int], firstImage: Int, progress: ((Progress) -> Void)?
  ) throws(PARError) -> [[Int]] {
    let count = labels.count
    let passes = sequence.passes
    let lastGuided = options.lastGuidedStep(of: passes.count)
    let nullLabels = Array(repeating: weights.configuration.nullClass, count: count)
    var tokens = Array(
      repeating: Array(repeating: 0, count: sequence.tokenCount), count: count)
    // Tokens are drawn in the order of the sequence, one number each, whatever the batch.
    var generators = (0..<count).map {
      SeededGenerator(seed: options.seed, stream: UInt64(firstImage + $0))
    }
    for (index, pass) in passes.enumerated() {
      let step = index + 1
      let slotLabels = step <= lastGuided ? labels + nullLabels : labels
      model.forward(positions: pass.positions, labels: slotLabels) { slot, k in
        tokens[slot % count][k]
      }
      let draws = generators.indices.map { image in
        pass.tokens.map { _ in generators[image].nextUniform() }
      }
      let work = SamplingStep(
        logits: model.logits, images: count, positions: pass.positions.count,
        drawn: pass.tokens.count,
        guidance: options.guidance(step: step, tokens: pass.tokens, of: sequence.tokenCount),
        filter: options.isGreedy ? nil : options.filter, draws: draws)
      let codes = team.map(count * pass.tokens.count) { work.code($0) }
      for image in 0..<count {
        for (place, token) in pass.tokens.enumerated() {
          guard let code = codes[image * pass.tokens.count + place] else {
            throw .logitsNotFinite(image: firstImage + image, token: token)
          }
          tokens[image][token] = code
        }
      }
      progress?(
        Progress(
          finishedImages: firstImage, batchImages: count, tokens: pass.tokens.upperBound))
    }
    return tokens.map { image in
      var raster = image
      for (token, cell) in sequence.cells.enumerated() { raster[cell] = image[token] }
      return raster
    }
  }
}

/// The tokens of one step, each of which can be drawn by itself.
struct SamplingStep: Sendable {
  let logits: PassLogits
  let images: Int
  /// Positions of each sequence in the pass, and how many of them predict a token.
  let positions: Int
  let drawn: Int
  /// The scale of guidance of each token; nil where the step has none.
  let guidance: [Float]?
  /// nil takes the most probable code.
  let filter: TokenFilter?
  /// For each image and token a uniform number in [0, 1).
  let draws: [[Double]]

  /// The code of one token, image by image; nil where the logits are not finite.
  func code(_ index: Int) -> Int? {
    let (image, place) = (index / drawn, index % drawn)
    var logits = logits[image * positions + place]
    if let guidance = guidance?[place] {
      let unconditional = self.logits[(images + image) * positions + place]
      for i in logits.indices {
        logits[i] = unconditional[i] + guidance * (logits[i] - unconditional[i])
      }
    }
    // Their sum is finite only if all are: logits are far from overflowing it.
    guard logits.reduce(0, { $0 + Double($1) }).isFinite else { return nil }
    guard let filter else { return Self.indexOfLargest(logits) }
    return Self.index(at: draws[image][place], of: filter.probabilities(logits))
  }

  /// The first of the largest.
  static func indexOfLargest(_ values: [Float]) -> Int {
    var best = 0
    for i in values.indices where values[i] > values[best] { best = i }
    return best
  }

  /// The index into whose share of the probabilities, laid end to end, the uniform number `draw` falls.
  static func index(at draw: Double, of probabilities: [Float]) -> Int {
    let total = probabilities.reduce(0.0) { $0 + Double($1) }
    let target = draw * total
    var cumulative = 0.0
    var last = 0
    for (index, probability) in probabilities.enumerated() where probability > 0 {
      cumulative += Double(probability)
      if target < cumulative { return index }
      last = index
    }
    return last
  }
}
