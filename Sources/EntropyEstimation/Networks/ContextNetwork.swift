import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import TokenData
import TokenGrids

/// A network trained to predict tokens from the contexts that an order produces: the `mlp` regressor, one mask-conditioned
/// network for all targets and contexts of an order.
///
/// Where least squares can be had, the network adds to them: it is trained on leave-one-out residuals of the linear fit, from
/// predictions of zero on, and has only to find what is not linear. It sees the neighbourhood of a target
/// (``ContextRows``), wherever that is: its weights are learned from n tokens of every image, where a network of its own
/// for each token has only the images.
struct ContextNetwork: Sendable {
  let order: GenerationOrder
  /// The images on which training was judged, of those fitted to.
  let validation: [Int]
  private let network: Perceptron
  private let base: ContextBase
  /// β, the part of what the network says more for a sequential context than for the parallel one that is kept: the one that
  /// makes residuals of the validation images smallest. One number for the whole order, so that noise in what the network
  /// makes of a step's own tokens does not make more context look worse.
  private(set) var sequentialShare = 1.0

  /// Trains on some images.
  ///
  /// - Parameters:
  ///   - linear: Least squares on the same images, to add to.
  ///   - progress: Told the mean validation loss a token after every epoch, and how many epochs there are at most.
  /// - Throws: ``EstimationError`` for too few images or a loss that is no number, and what reading the features throws.
  /// - Complexity: O(epochs·m·n·window·d·hidden), and m·n·d numbers of memory for each kind of context.
  init(
    of order: GenerationOrder, fittedTo features: some TokenFeatures, linear: HeldOutLaw? = nil,
    settings: NetworkSettings, seed: UInt64, progress: (Double, Int) -> Void = { _, _ in }
  ) throws {
    var generator = NormalGenerator(seed: seed, stream: 3)
    let (training, validation) = try generator.trainingParts(of: features)
    let base = try ContextBase(order, features, linear: linear)
    self.order = order
    self.base = base
    self.validation = validation
    network = try Perceptron(
      for: ContextProblem(base, features), training: training, validation: validation,
      settings: settings, generator: &generator, source: features.name, progress: progress)
    sequentialShare = try bestShare(of: ImageSubset(of: features, images: validation))
  }

  /// The β that makes sequential residuals of some images smallest.
  private func bestShare(of features: some TokenFeatures) throws -> Double {
    let d = base.channels
    var (product, square) = (0.0, 0.0)
    try forEachPrediction(of: features, leavingOut: true) { count, residuals, predicted in
      // With what is said for the parallel context, and with what is said for the sequential one.
      let own = base.residuals(residuals, predicted: predicted)
      let alone = base.residuals(residuals, predicted: mixed(predicted, share: 0))
      for i in 0..<count {
        let first = i * base.rows.count * d
        for index in first..<first + base.rows.tokens * d {
          let change = Double(alone.elements[index] - own.elements[index])
          product += Double(alone.elements[index]) * change
          square += change * change
        }
      }
    }
    return EntropyEstimation.bestShare(product: product, square: square)
  }

  /// Predictions with sequential ones moved towards the parallel ones.
  private func mixed(_ predicted: FloatMatrix, share: Double) -> FloatMatrix {
    let (d, rows) = (base.channels, base.rows)
    var result = predicted
    for image in stride(from: 0, to: predicted.rows, by: rows.count) {
      for (position, other) in rows.parallelRows.enumerated() where other != position {
        for c in 0..<d {
          let (own, alone) = (predicted[image + position, c], predicted[image + other, c])
          result[image + position, c] = alone + Float(share) * (own - alone)
        }
      }
    }
    return result
  }

  private func forEachPrediction(
    of features: some TokenFeatures, leavingOut: Bool,
    _ body: (Int, _ residuals: FloatMatrix, _ predicted: FloatMatrix) -> Void
  ) throws {
    try base.forEachBlock(of: features, leavingOut: leavingOut) { images, residuals in
      let inputs = base.rows.inputs.rows(of: try base.standardised(features, images))
      body(images.count, residuals, network.forward(inputs).output)
    }
  }

  private func forEachResidual(
    of features: some TokenFeatures, leavingOut: Bool, _ body: (Int, FloatMatrix) -> Void
  ) throws {
    try forEachPrediction(of: features, leavingOut: leavingOut) { count, residuals, predicted in
      body(
        count,
        base.residuals(residuals, predicted: mixed(predicted, share: sequentialShare)))
    }
  }

  /// Takes the residual covariances from images.
  ///
  /// - Parameter leavingOut: Whether least squares were fitted to these images, and each is to be left out of them.
  /// - Throws: ``EstimationError`` for residuals without spread, and what reading the features throws.
  /// - Complexity: O(images·n·d·(hidden + d)).
  func residualLaw(
    of features: some TokenFeatures, leavingOut: Bool, bound: EntropyBound
  ) throws -> ResidualLaw {
    var sums = ResidualSums(rows: base.rows.count, channels: base.channels)
    try forEachResidual(of: features, leavingOut: leavingOut) { _, residuals in
      sums.add(residuals)
    }
    let sequence = order.sequence
    return try ResidualLaw(sums, bound: bound, scales: base.logarithmicScales) { row, channel in
      EstimationError.constantChannel(
        source: features.name, cell: order.grid.cell(at: sequence[base.rows.positions[row]]),
        channel: channel, images: sums.count)
    }
  }

  /// Calls `body` with every image's losses by position, sequential and parallel.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·n·d·(hidden + d)).
  func forEachLoss(
    of features: some TokenFeatures, law: ResidualLaw, _ body: ([Double], [Double]) -> Void
  ) throws {
    let rows = base.rows
    try forEachResidual(of: features, leavingOut: false) { count, residuals in
      let losses = law.losses(of: residuals)
      for i in 0..<count {
        let first = i * rows.count
        body(
          Array(losses[first..<first + rows.tokens]), rows.parallelRows.map { losses[first + $0] })
      }
    }
  }
}

/// What a context network starts from: residuals of least squares or, without them, standardised tokens.
struct ContextBase: Sendable {
  let rows: ContextRows
  /// d.
  let channels: Int
  private let order: GenerationOrder
  private let linear: HeldOutLaw?
  /// The mean of each coordinate, in the order's sequence, and the standard deviation of each channel over all tokens.
  private let mean: [Float]
  private let deviation: [Float]
  /// K of each row, which takes predictions of standardised channels to the units of the residuals: d × d, lower triangle.
  private let units: [[Float]]
  /// What the entropy of residuals in tokens' own units has more than that of residuals in theirs, by row.
  let logarithmicScales: [Double]

  init(
    _ order: GenerationOrder, _ features: some TokenFeatures, linear: HeldOutLaw?
  ) throws {
    let d = features.featureDimensions
    let sample = try features.spreadSample(of: 0..<features.imageCount)
    let columns = order.grid.cellCount * d
    let centre = features.mean(ofRows: sample)
    var channels = [RunningMoments](repeating: RunningMoments(), count: d)
    for (index, value) in sample.enumerated() {
      channels[index % d].add(Double(value) - centre[index % columns])
    }
    let deviation = channels.map { $0.variance > 0 ? Float($0.variance.squareRoot()) : 1 }
    let rows = ContextRows(order, channels: d)
    if let linear {
      var units: [[Float]] = []
      for (row, position) in rows.positions.enumerated() {
        let whitening = linear.whitening(at: position, isSequential: row < rows.tokens)
        units.append(
          whitening.elements.enumerated().map { Float($1) * deviation[$0 % d] })
      }
      self.units = units
      let entropies = linear.entropies
      let gaussian = 0.5 * Double(d) * log(2 * .pi * M_E)
      logarithmicScales = rows.positions.enumerated().map { row, position in
        (row < rows.tokens ? entropies.sequential : entropies.parallel)[position] - gaussian
      }
    } else {
      units = rows.positions.map { _ in Matrix.identity(d).elements.map { Float($0) } }
      let scale = deviation.reduce(0.0) { $0 + log(Double($1)) }
      logarithmicScales = rows.positions.map { _ in scale }
    }
    self.order = order
    self.linear = linear
    self.rows = rows
    self.channels = d
    self.deviation = deviation
    mean = order.sequence.flatMap { cell in (0..<d).map { Float(centre[cell * d + $0]) } }
  }

  /// Tokens of images, standardised, in the order's sequence: images × n·d.
  func standardised(_ features: some TokenFeatures, _ images: Range<Int>) throws -> FloatMatrix {
    let (d, columns) = (channels, mean.count)
    let values = try features.features(ofImages: images)
    var result = FloatMatrix(rows: images.count, columns: columns)
    for (position, cell) in order.sequence.enumerated() {
      for c in 0..<d {
        let (from, to) = (cell * d + c, position * d + c)
        for i in 0..<images.count {
          result.elements[i * columns + to] = (values[i * columns + from] - mean[to]) / deviation[c]
        }
      }
    }
    return result
  }

  private static let imagesPerBlock = 64

  /// Calls `body` with the residuals of every row of a block of images at a time, `images · rows` × d.
  func forEachBlock(
    of features: some TokenFeatures, leavingOut: Bool,
    _ body: (Range<Int>, FloatMatrix) throws -> Void
  ) throws {
    guard let linear else {
      for start in stride(from: 0, to: features.imageCount, by: Self.imagesPerBlock) {
        let images = start..<min(start + Self.imagesPerBlock, features.imageCount)
        let tokens = try standardised(features, images)
        try body(
          images,
          residuals(count: images.count) { i, _, element in
            tokens[i, element]
          })
      }
      return
    }
    var start = 0
    try linear.forEachBlock(of: features, leavingOut: leavingOut) { count, whitened in
      try body(
        start..<start + count,
        residuals(count: count) { i, isSequential, element in
          Float((isSequential ? whitened.sequential : whitened.parallel)[i, element])
        })
      start += count
    }
  }

  private func residuals(
    count: Int, _ element: (Int, Bool, Int) -> Float
  ) -> FloatMatrix {
    let d = channels
    var result = FloatMatrix(rows: count * rows.count, columns: d)
    for i in 0..<count {
      for (row, position) in rows.positions.enumerated() {
        for c in 0..<d {
          result[i * rows.count + row, c] = element(i, row < rows.tokens, position * d + c)
        }
      }
    }
    return result
  }

  /// w − K·y.
  func residuals(_ residuals: FloatMatrix, predicted: FloatMatrix) -> FloatMatrix {
    residuals.subtractingProducts(units, predicted)
  }

  /// −Kᵀ·g.
  func gradient(ofResiduals gradient: FloatMatrix) -> FloatMatrix {
    gradient.negativeTransposedProducts(units)
  }
}

/// The training of a ``ContextNetwork``.
private struct ContextProblem<Features: TokenFeatures>: NetworkProblem {
  let base: ContextBase
  let features: Features
  /// Of all images, `images × rows · d`.
  let residuals: FloatMatrix

  init(_ base: ContextBase, _ features: Features) throws {
    self.base = base
    self.features = features
    var elements: [Float] = []
    elements.reserveCapacity(features.imageCount * base.rows.count * base.channels)
    try base.forEachBlock(of: features, leavingOut: true) { elements += $1.elements }
    residuals = FloatMatrix(
      rows: features.imageCount, columns: base.rows.count * base.channels, elements: elements)
  }

  var inputs: Int { base.rows.inputs.columns }
  var outputs: Int { base.channels }
  var rowsPerImage: Int { base.rows.count }
  /// About 16,000 rows.
  var largestBatch: Int { max(16_384 / rowsPerImage, 1) }

  /// The target's place, constant in a grid of few tokens, does the rest.
  var biasDeviation: Double { 0.5 }
  var outputsOfShare: Int? { nil }

  func rows(of images: [Int]) throws -> (inputs: FloatMatrix, residuals: FloatMatrix) {
    let chosen = ImageSubset(of: features, images: images)
    let tokens = try base.standardised(chosen, 0..<images.count)
    return (
      base.rows.inputs.rows(of: tokens),
      FloatMatrix(
        rows: images.count * rowsPerImage, columns: outputs,
        elements: residuals.rows(images).elements)
    )
  }

  func residuals(_ residuals: FloatMatrix, predicted: FloatMatrix) -> FloatMatrix {
    base.residuals(residuals, predicted: predicted)
  }

  func gradient(ofResiduals gradient: FloatMatrix) -> FloatMatrix {
    base.gradient(ofResiduals: gradient)
  }
}

extension NormalGenerator {
  /// Divides images at random into those trained on and those that training is judged by; at most one
  /// photograph has images among both.
  ///
  /// - Throws: ``EstimationError/tooFewImagesToTrain(source:images:needed:)``.
  mutating func trainingParts(
    of features: some TokenFeatures
  ) throws(EstimationError) -> (training: [Int], validation: [Int]) {
    var photographs =
      Photographs(features.imageGroups, imageCount: features.imageCount).images
    shuffle(&photographs)
    let images = photographs.flatMap { $0 }
    let count = max(
      Int((Double(images.count) * NetworkSettings.validationShare).rounded()),
      features.featureDimensions + 4)
    guard images.count - count >= 8 else {
      throw .tooFewImagesToTrain(
        source: features.name, images: images.count, needed: count + 8)
    }
    return (images.dropFirst(count).sorted(), images.prefix(count).sorted())
  }
}
