import LinearAlgebra
import NeuralKernels
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
  let team: WorkerTeam
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
  ///   - firstImage: i of the first of them: runs that continue each other make the images of one run.
  ///   - progress: called after each step.
  /// - Throws: ``PARError`` for a class out of range or logits that are not numbers.
  public func generate(
    labels: [Int], firstImage: Int = 0, progress: ((SamplingProgress) -> Void)? = nil
  ) throws(PARError) -> [[Int]] {
    try draw(labels: labels, firstImage: firstImage, progress: progress)
  }
}

extension AnyOrderSampler: StepwiseSampler {
  var classes: Int { weights.configuration.classes }
  var nullClass: Int { weights.configuration.nullClass }
  var steps: [AnyOrderPasses.Pass] { passes.passes }

  func model(slots: Int) throws(PARError) -> AnyOrderTransformer {
    try AnyOrderTransformer(
      weights: weights, grid: grid, slots: slots, longestPass: passes.longest, team: team)
  }

  func cells(ofImage index: Int) -> [Int] { sequences[index % sequences.count] }

  func logits(
    _ model: AnyOrderTransformer, _ pass: AnyOrderPasses.Pass, labels: [Int], batch: SampledBatch
  ) -> PassLogits {
    model.forward(pass, labels: labels, cell: batch.cell, token: batch.token)
    return model.logits
  }
}

extension AnyOrderPasses.Pass: SampledPass {
  var logitCount: Int { tokens.count }
}
