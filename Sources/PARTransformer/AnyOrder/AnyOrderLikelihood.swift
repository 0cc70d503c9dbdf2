import FileFormats
import LinearAlgebra
import NeuralKernels
import Statistics
import TokenData
import TokenGrids

/// What parallel drawing costs by a trained model's own account: for any order, the mean over held-out images of
/// Σ_k [−log q(v_k | earlier steps) + log q(v_k | all tokens before)], in nats.
///
/// It is the conditional total correlation of each step as the model has it, for discrete tokens and without a Gaussian
/// assumption. The first term takes one pass an image, the second one more: that of the order one by one.
public struct AnyOrderLikelihood: Sendable {
  /// A mean over images with its standard error, in nats.
  public struct Value: Hashable, Sendable {
    /// The mean.
    public let mean: Double
    /// Its standard error over images, or over photographs where the dataset tells them; NaN for a single one.
    public let standardError: Double
  }

  /// What one order costs.
  public struct Order: Sendable {
    /// The order.
    public let order: GenerationOrder
    /// −log q(v_k | earlier steps) of every cell, by raster index.
    public let parallel: [Value]
    /// −log q(v_k | all tokens before) of every cell, by raster index.
    public let sequential: [Value]
    /// What every cell loses, by raster index.
    public let lost: [Value]
    /// What every step loses.
    public let lostByStep: [Value]
    /// What an image loses.
    public let total: Value
    /// −log q of an image drawn in the order's steps.
    public let parallelTotal: Value
    /// −log q of an image drawn one by one.
    public let sequentialTotal: Value
  }

  /// The model's file.
  public let model: String
  /// The images measured.
  public let imageCount: Int
  /// Whether they are those that were held out when the model was trained; else they are all of the dataset.
  public let isHeldOut: Bool
  /// The orders, as they were given.
  public let orders: [Order]

  /// Measures a model on the images of a dataset.
  ///
  /// Where the dataset is the one the model was trained on, only images that were held out count.
  ///
  /// - Parameters:
  ///   - path: a model, or the folder of a run.
  ///   - heads: the number of attention heads, where the file does not tell; nil for that of the published size.
  ///   - tokens: codes of the codebook that the model was trained on.
  ///   - orders: orders of the dataset's grid.
  ///   - imageLimit: measure only so many of those images, drawn at random; nil for all.
  ///   - seed: the seed of that draw.
  ///   - progress: called with the number of images done, of all orders.
  /// - Throws: ``TrainingError`` when model and dataset do not fit, ``PARError``, or why a file cannot be read.
  /// - Complexity: O(images · 2N · parameters) for each order, and for each sequence that orders have.
  public init(
    model path: String, heads: Int? = nil, tokens: TokenDataset, orders: [GenerationOrder],
    imageLimit: Int? = nil,
    seed: UInt64 = 0, threads: Int? = nil, progress: (Int) -> Void = { _ in }
  ) throws {
    let file = TrainedModel.file(of: path)
    let tensors = try AnyOrderTensors(TrainedModel.tensors(of: file), heads: heads)
    let trained = TrainedModel(metadata: tensors.metadata, path: file)
    let configuration = tensors.configuration
    for order in orders where order.grid != configuration.grid {
      throw TrainingError.differentTokens(
        model: file, dataset: order.name, what: "grid", found: "\(order.grid)",
        expected: "\(configuration.grid)")
    }
    let codes = try PositionLikelihood.codes(
      of: tokens, trained: trained, codes: configuration.codes, grid: configuration.grid)
    let (images, isHeldOut) = try PositionLikelihood.images(
      of: tokens, codes: codes, trained: trained, limit: imageLimit, seed: seed)
    let team = WorkerTeam(workers: threads)
    let trainer = try AnyOrderTrainer(
      configuration: configuration, shards: team.workers, team: team)
    for parameter in configuration.parameters {
      trainer.parameters[parameter].write(try tensors.floats(parameter))
    }
    let n = configuration.grid.cellCount
    let labels = try PositionLikelihood.labels(
      of: tokens, images: images, classes: configuration.classes)
    let groups = tokens.imageIDs.map { ids in images.map { ids[$0] } }
    var finished = 0
    func losses(_ order: GenerationOrder) throws -> [Double] {
      let (cells, sizes) = (order.sequence, order.steps.map(\.count))
      defer { finished += images.count }
      return try trainer.losses(
        zip(images, labels).map { image, label in
          AnyOrderImage(
            codes: codes[image * n..<(image + 1) * n], label: label, cells: cells,
            groupSizes: sizes)
        }, ofModel: file, progress: { progress(finished + $0) })
    }
    // Orders of one sequence have one account of it one by one.
    var bySequence: [[Int]: [Double]] = [:]
    self.orders = try orders.map { order in
      let parallel = try losses(order)
      let sequential: [Double]
      if let known = bySequence[order.sequence] {
        sequential = known
        finished += images.count
        progress(finished)
      } else {
        sequential = try losses(order.sequentialized())
        bySequence[order.sequence] = sequential
      }
      return Order(
        order, parallel: parallel, sequential: sequential, images: images.count, groups: groups)
    }
    model = file
    imageCount = images.count
    self.isHeldOut = isHeldOut
  }
}

extension AnyOrderLikelihood.Order {
  /// Means over images from the losses of every image's tokens in the order of the sequence.
  init(
    _ order: GenerationOrder, parallel: [Double], sequential: [Double], images: Int,
    groups: [UInt32]?
  ) {
    let n = order.grid.cellCount
    let lost = zip(parallel, sequential).map { $0 - $1 }
    func value(_ places: Range<Int>, of losses: [Double]) -> AnyOrderLikelihood.Value {
      let sums = (0..<images).map { image in
        places.reduce(0) { $0 + losses[image * n + $1] }
      }
      let (mean, error) = PositionLikelihood.mean(of: sums, groups: groups)
      return AnyOrderLikelihood.Value(mean: mean, standardError: error)
    }
    func cells(_ losses: [Double]) -> [AnyOrderLikelihood.Value] {
      var values = (0..<n).map { value($0..<$0 + 1, of: losses) }
      let bySequence = values
      for (place, cell) in order.sequence.enumerated() { values[cell] = bySequence[place] }
      return values
    }
    self.order = order
    self.parallel = cells(parallel)
    self.sequential = cells(sequential)
    self.lost = cells(lost)
    var first = 0
    lostByStep = order.steps.map { step in
      defer { first += step.count }
      return value(first..<first + step.count, of: lost)
    }
    total = value(0..<n, of: lost)
    parallelTotal = value(0..<n, of: parallel)
    sequentialTotal = value(0..<n, of: sequential)
  }
}
