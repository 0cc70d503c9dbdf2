import LinearAlgebra
import NeuralKernels

/// Forward and backward pass over a few whole images on one thread, with the memory for them.
protocol LearningPass: AnyObject {
  associatedtype Configuration: ModelConfiguration
  associatedtype Image: Sendable

  /// The number of images there is room for.
  var capacity: Int { get }

  /// The negative log-probability, in nats, of every token of `images` in the order of its sequence, images × N.
  func losses(
    _ parameters: ModelParameters<Configuration>, _ images: ArraySlice<Image>
  ) -> [Float]

  /// The same with dropout, and adds to `gradient` that of the losses' sum times `weight`.
  func losses(
    _ parameters: ModelParameters<Configuration>, _ images: ArraySlice<Image>,
    dropouts: (_ place: Int) -> TrainingKernels.Dropout, weight: Float,
    addingTo gradient: ModelParameters<Configuration>
  ) -> [Float]
}

extension TrainingPass: LearningPass {}
extension AnyOrderTrainingPass: LearningPass {}

/// What a trainer has to know of a kind of model.
protocol LearningModel: Sendable {
  associatedtype Pass: LearningPass
  typealias Configuration = Pass.Configuration
  typealias Image = Pass.Image

  var configuration: Configuration { get }
  /// N, the tokens of an image.
  var tokenCount: Int { get }
  /// The most rows that an image has in a pass.
  var mostRows: Int { get }

  /// How many numbers of a row a pass keeps from its way forwards to its way backwards, at the least.
  var numbersKeptPerRow: Int { get }

  /// The rows of an image in a pass.
  func rowCount(of image: Image) -> Int
  /// Makes a pass with room for so many images.
  func pass(capacity: Int) throws(PARError) -> Pass
}

/// A PAR transformer for one sequence, as it learns.
struct LearningPAR: LearningModel {
  let configuration: PARConfiguration
  let sequence: PARSequence
  let attention: AttentionPattern

  /// - Throws: ``PARError`` for a sequence that does not fit the configuration.
  init(
    configuration: PARConfiguration, sequence: PARSequence, attention: AttentionPattern
  ) throws(PARError) {
    guard sequence.tokensPerStep == configuration.tokensPerStep else {
      throw .wrongTokensPerStep(
        asked: sequence.tokensPerStep, model: configuration.tokensPerStep)
    }
    (self.configuration, self.sequence, self.attention) = (configuration, sequence, attention)
  }

  var tokenCount: Int { sequence.tokenCount }
  var mostRows: Int { sequence.positionCount }
  /// Of each layer: two inputs and what their norms make of them, queries, keys and values, what attention finds, and the two
  /// halves of the hidden units.
  var numbersKeptPerRow: Int {
    configuration.layers * (8 * configuration.width + 2 * configuration.hiddenWidth)
  }
  func rowCount(of image: TrainingImage) -> Int { mostRows }

  func pass(capacity: Int) throws(PARError) -> TrainingPass {
    try TrainingPass(
      configuration: configuration, sequence: sequence, attention: attention, capacity: capacity)
  }
}

/// An any-order transformer, as it learns.
struct LearningAnyOrder: LearningModel {
  let configuration: AnyOrderConfiguration

  var tokenCount: Int { configuration.grid.cellCount }
  var mostRows: Int { 2 * tokenCount }
  /// Of each layer: two inputs and what their norms make of them, queries, keys and values, what attention finds, and the hidden
  /// units.
  var numbersKeptPerRow: Int {
    configuration.layers * (8 * configuration.width + configuration.hiddenWidth)
  }
  func rowCount(of image: AnyOrderImage) -> Int { image.rowCount }

  func pass(capacity: Int) -> AnyOrderTrainingPass {
    AnyOrderTrainingPass(configuration: configuration, capacity: capacity)
  }
}
