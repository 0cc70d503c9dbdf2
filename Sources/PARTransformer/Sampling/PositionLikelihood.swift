import FileFormats
import LinearAlgebra
import NeuralKernels
import Statistics
import TokenData
import TokenGrids

/// How well a trained model predicts the token of every cell: the mean negative log-probability of held-out images'
/// tokens, each given what the model sees when it generates it.
///
/// It is an upper bound, up to sampling error, of the conditional entropy of a cell's token given that context: of the
/// parallel one for a model of several tokens a step, of the sequential one for n = 1.
public struct PositionLikelihood: Sendable {
  /// The model's file.
  public let model: String
  /// The name of the model's order.
  public let order: String
  /// n, the tokens generated together.
  public let tokensPerStep: Int
  /// The grid of the values.
  public let grid: TokenGrid
  /// The images measured.
  public let imageCount: Int
  /// Whether they are those that were held out when the model was trained; else they are all of the dataset.
  public let isHeldOut: Bool
  /// −log q of every cell by raster index, the mean over images, in nats.
  public let means: [Double]
  /// The standard errors of ``means`` over images; where the dataset says which images come from one photograph, over
  /// photographs. NaN for a single one.
  public let standardErrors: [Double]
  /// The mean over all cells, in nats a token.
  public let mean: Double
  /// Its standard error; tokens of one image are not taken for independent.
  public let standardError: Double

  /// Measures a model on the images of a dataset.
  ///
  /// Where the dataset is the one the model was trained on, only images that were held out count.
  ///
  /// - Parameters:
  ///   - path: a model written by `par-train`, or any checkpoint, if `order` is given.
  ///   - tokens: codes of the codebook that the model was trained on.
  ///   - order: the order of generation; nil for the one in the model's metadata.
  ///   - imageLimit: measure only so many of those images, drawn at random; nil for all.
  ///   - seed: The seed of that draw.
  ///   - progress: called with the number of images done.
  /// - Throws: ``TrainingError`` when model and dataset do not fit, ``PARError``, or why a file cannot be read.
  /// - Complexity: O(images · N · parameters).
  public init(
    model path: String, tokens: TokenDataset, order: GenerationOrder? = nil,
    imageLimit: Int? = nil, seed: UInt64 = 0, threads: Int? = nil,
    progress: (Int) -> Void = { _ in }
  ) throws {
    let path = TrainedModel.file(of: path)
    let checkpoint = try SafetensorsCheckpoint(path: path)
    let tensors = try CheckpointTensors(checkpoint)
    let configuration = try tensors.configuration(heads: nil)
    try tensors.check(against: configuration)
    let trained = TrainedModel(metadata: checkpoint.metadata, path: path)
    guard let order = order ?? trained.order else {
      throw TrainingError.notTrainedHere(model: path, missing: "order_steps")
    }
    let codes = try Self.codes(
      of: tokens, trained: trained, codes: configuration.codes, grid: order.grid)
    let sequence = try PARSequence(order: order, tokensPerStep: configuration.tokensPerStep)
    let team = WorkerTeam(workers: threads)
    let trainer = try PARTrainer(
      configuration: configuration, sequence: sequence,
      attention: trained.attention ?? .groupwise, shards: team.workers, team: team)
    for parameter in configuration.parameters {
      trainer.parameters[parameter].write(
        try tensors.file(of: parameter).floats(tensors.storedName(parameter)))
    }

    let (images, isHeldOut) = try Self.images(
      of: tokens, codes: codes, trained: trained, limit: imageLimit, seed: seed)
    let labels = try Self.labels(of: tokens, images: images, classes: configuration.classes)
    let n = order.grid.cellCount
    let losses = try trainer.losses(
      zip(images, labels).map { image, label in
        TrainingImage(codes: codes[image * n..<(image + 1) * n], label: label)
      }, ofModel: path, progress: progress)

    self.model = path
    self.order = order.name
    tokensPerStep = configuration.tokensPerStep
    grid = order.grid
    imageCount = images.count
    self.isHeldOut = isHeldOut
    let groups = tokens.imageIDs.map { ids in images.map { ids[$0] } }
    var cellMeans = [Double](repeating: 0, count: n)
    var cellErrors = cellMeans
    for (k, cell) in sequence.cells.enumerated() {
      let values = images.indices.map { losses[$0 * n + k] }
      (cellMeans[cell], cellErrors[cell]) = Self.mean(of: values, groups: groups)
    }
    (means, standardErrors) = (cellMeans, cellErrors)
    let sums = images.indices.map { losses[$0 * n..<($0 + 1) * n].reduce(0, +) / Double(n) }
    (mean, standardError) = Self.mean(of: sums, groups: groups)
  }

  /// The mean of values and its standard error, values of one group being dependent: the root of the sum of squares of
  /// the groups' summed deviations.
  static func mean(of values: [Double], groups: [UInt32]?) -> (Double, Double) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    var sums: [Double]
    if let groups {
      var byGroup: [UInt32: Double] = [:]
      for (value, group) in zip(values, groups) { byGroup[group, default: 0] += value - mean }
      sums = byGroup.sorted { $0.key < $1.key }.map(\.value)
    } else {
      sums = values.map { $0 - mean }
    }
    guard sums.count > 1 else { return (mean, .nan) }
    let squares = sums.reduce(0) { $0 + $1 * $1 }
    return (mean, (squares * Double(sums.count) / Double(sums.count - 1)).squareRoot() / count)
  }

  /// The images to measure: those held out where the dataset is the one the model was trained on, else all.
  static func images(
    of tokens: TokenDataset, codes: [UInt32], trained: TrainedModel, limit: Int?, seed: UInt64
  ) throws(TrainingError) -> (images: [Int], areHeldOut: Bool) {
    let isTrainingData =
      trained.datasetHash != nil
      && trained.datasetHash == NumberHash.text(of: codes + (tokens.labels?.values ?? []))
    var images = Array(0..<tokens.imageCount)
    if isTrainingData, let settings = trained.settings {
      images = TrainingData.split(tokens: tokens, settings: settings).heldOut
    }
    if let limit, limit < images.count {
      // The first ones may all be of one class.
      var generator = SeededGenerator(seed: seed, stream: 7)
      generator.shuffle(&images)
      images = images.prefix(limit).sorted()
    }
    guard !images.isEmpty else { throw .nothingHeldOut(model: trained.path) }
    return (images, isTrainingData)
  }

  /// The classes of images: without labels, the first.
  static func labels(
    of tokens: TokenDataset, images: [Int], classes: Int
  ) throws(PARError) -> [Int] {
    let labels = tokens.labels?.values
    return try images.map { image throws(PARError) in
      let label = labels.map { Int($0[image]) } ?? 0
      guard label < classes else { throw .classOutOfRange(label: label, classes: classes) }
      return label
    }
  }

  /// The dataset's codes, if they are of the model's kind.
  static func codes(
    of tokens: TokenDataset, trained: TrainedModel, codes count: Int, grid: TokenGrid
  ) throws(TrainingError) -> [UInt32] {
    guard let codes = tokens.codes, let codebook = tokens.codebook else {
      throw .noCodes(dataset: tokens.name)
    }
    let hash = NumberHash.text(of: codebook.elements)
    let facts = [
      ("grid", "\(tokens.grid)", "\(grid)"),
      ("number of codes", "\(codebook.rows)", "\(count)"),
      ("codebook", hash, trained.codebookHash ?? hash),
    ]
    for (what, found, expected) in facts where found != expected {
      throw .differentTokens(
        model: trained.path, dataset: tokens.name, what: what, found: found, expected: expected)
    }
    return codes
  }
}

extension Trainer {
  /// The negative log-probability of every token of images, in nats and in the order of their sequences.
  ///
  /// - Parameter progress: called with the number of images done.
  /// - Throws: ``TrainingError/damagedCheckpoint(file:reason:)`` where one is no finite number.
  func losses(
    _ images: [Model.Image], ofModel file: String, progress: (Int) -> Void
  ) throws(TrainingError) -> [Double] {
    var losses: [Double] = []
    for first in stride(from: 0, to: images.count, by: 64) {
      let part = Array(images[first..<min(first + 64, images.count)])
      losses += self.losses(part).map { Double($0) }
      progress(first + part.count)
    }
    guard losses.allSatisfy(\.isFinite) else {
      throw .damagedCheckpoint(
        file: file, reason: "its log-probabilities are not finite numbers")
    }
    return losses
  }
}
