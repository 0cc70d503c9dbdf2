import LinearAlgebra
import NeuralKernels
import Statistics
import TokenGrids

/// Draws images from an any-order transformer, several at once, one forward pass for each step of the order.
///
/// The images of a batch may have different orders, as long as the steps are of the same sizes.
public struct AnyOrderSampler: Sendable {
  /// The parameters.
  public let weights: AnyOrderWeights
  /// The orders that images take in turn.
  public let orders: [GenerationOrder]
  /// How tokens are drawn.
  public let options: SamplingOptions
  /// The passes of every order.
  public let passes: AnyOrderPasses
  private let team: WorkerTeam
  private let sequences: [[Int]]

  /// Makes a sampler.
  ///
  /// - Parameter orders: image i has the order i mod their number; all on one grid, with steps of the same sizes.
  /// - Throws: ``PARError`` when there is no order, when they do not go together, or an option is out of range.
  public init(
    weights: AnyOrderWeights, orders: [GenerationOrder], options: SamplingOptions,
    team: WorkerTeam
  ) throws(PARError) {
    try options.validate()
    guard let first = orders.first else {
      throw .wrongCount(of: "orders", found: 0, expected: 1)
    }
    let sizes = first.steps.map(\.count)
    for order in orders where order.grid != first.grid || order.steps.map(\.count) != sizes {
      throw .differentGroupSizes(order: order.name, first: first.name)
    }
    passes = AnyOrderPasses(groupSizes: sizes)
    sequences = orders.map(\.sequence)
    (self.weights, self.orders, self.options, self.team) = (weights, orders, options, team)
  }

  /// The grid of the images.
  public var grid: TokenGrid { orders[0].grid }

  /// The number of forward passes for one batch.
  public var passCount: Int { passes.passes.count }

  /// Generates one image for each label and returns its codes in raster order, `images × N`.
  ///
  /// Image i depends on the weights, its label, its order, the options' seed and i alone: not on the batch size, nor on
  /// the number of threads.
  ///
  /// - Parameters:
  ///   - labels: the class of each image.
  ///   - progress: called after each step.
  /// - Throws: ``PARError`` for a class out of range or logits that are not numbers.
  public func generate(
    labels: [Int], progress: ((PARSampler.Progress) -> Void)? = nil
  ) throws(PARError) -> [[Int]] {
    for label in labels where !(0..<weights.configuration.classes).contains(label) {
      throw .classOutOfRange(label: label, classes: weights.configuration.classes)
    }
    guard !labels.isEmpty else { return [] }
    let batchSize = min(options.batchSize, labels.count)
    let model = try AnyOrderTransformer(
      weights: weights, grid: grid, slots: options.guidance > 1 ? 2 * batchSize : batchSize,
      longestPass: passes.longest, team: team)
    var images: [[Int]] = []
    for first in stride(from: 0, to: labels.count, by: batchSize) {
      images += try generateBatch(
        model: model, labels: Array(labels[first..<min(first + batchSize, labels.count)]),
        firstImage: first, progress: progress)
    }
    return images
  }

  private func generateBatch(
    model: AnyOrderTransformer, labels: [Int], firstImage: Int,
    progress: ((PARSampler.Progress) -> Void)?
  ) throws(PARError) -> [[Int]] {
    let count = labels.count
    let lastGuided = options.lastGuidedStep(of: passCount)
    let nullLabels = Array(repeating: weights.configuration.nullClass, count: count)
    let cells = (0..<count).map { sequences[(firstImage + $0) % sequences.count] }
    // By the place in the sequence.
    var tokens = Array(repeating: Array(repeating: 0, count: grid.cellCount), count: count)
    var generators = (0..<count).map {
      SeededGenerator(seed: options.seed, stream: UInt64(firstImage + $0))
    }
    for (index, pass) in passes.passes.enumerated() {
      let step = index + 1
      model.forward(
        pass, labels: step <= lastGuided ? labels + nullLabels : labels,
        cell: { slot, place in cells[slot % count][place] },
        token: { slot, place in tokens[slot % count][place] })
      let draws = generators.indices.map { image in
        pass.tokens.map { _ in generators[image].nextUniform() }
      }
      let work = SamplingStep(
        logits: model.logits, images: count, positions: pass.tokens.count,
        drawn: pass.tokens.count,
        guidance: options.guidance(step: step, tokens: pass.tokens, of: grid.cellCount),
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
        PARSampler.Progress(
          finishedImages: firstImage, batchImages: count, tokens: pass.tokens.upperBound))
    }
    return zip(tokens, cells).map { image, cells in
      var raster = image
      for (token, cell) in cells.enumerated() { raster[cell] = image[token] }
      return raster
    }
  }
}
