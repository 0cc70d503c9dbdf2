import NeuralKernels
import PARTransformer
import TokenGrids

/// The weights of a model of either kind.
enum SampledModel {
  case par(PARWeights)
  case anyOrder(AnyOrderWeights)

  /// What results call the kind.
  var architecture: String { isAnyOrder ? "any-order" : "par" }

  var isAnyOrder: Bool {
    if case .anyOrder = self { true } else { false }
  }

  var codes: Int {
    switch self {
    case .par(let weights): weights.configuration.codes
    case .anyOrder(let weights): weights.configuration.codes
    }
  }

  var parameterCount: Int {
    switch self {
    case .par(let weights): weights.configuration.parameterCount
    case .anyOrder(let weights): weights.configuration.parameterCount
    }
  }

  var streamedByteCount: Int {
    switch self {
    case .par(let weights): weights.streamedByteCount
    case .anyOrder(let weights): weights.streamedByteCount
    }
  }

  var precision: WeightPrecision {
    switch self {
    case .par(let weights): weights.precision
    case .anyOrder(let weights): weights.precision
    }
  }
}

/// What draws images from a model of either kind, and how.
struct ImageSampler {
  typealias Progress = (SamplingProgress) -> Void

  /// The name of the order, or of the file with several.
  let order: String
  /// The tokens of the largest step.
  let tokensPerStep: Int
  let grid: TokenGrid
  let passCount: Int
  private let draw: ([Int], Int, @escaping Progress) throws -> [[Int]]

  init(_ sampler: PARSampler) {
    order = sampler.sequence.order.name
    tokensPerStep = sampler.sequence.tokensPerStep
    grid = sampler.sequence.order.grid
    passCount = sampler.passCount
    draw = { try sampler.generate(labels: $0, firstImage: $1, progress: $2) }
  }

  init(_ sampler: AnyOrderSampler, order: String) {
    self.order = order
    tokensPerStep = sampler.orders[0].tokensPerStep
    grid = sampler.grid
    passCount = sampler.passCount
    draw = { try sampler.generate(labels: $0, firstImage: $1, progress: $2) }
  }

  /// One image for each label, its codes in raster order; of a run in which so many stand before them.
  func generate(
    _ labels: [Int], after firstImage: Int, progress: @escaping Progress
  ) throws -> [[Int]] {
    try draw(labels, firstImage, progress)
  }
}
