import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData
import TokenGrids

/// A network trained to predict all tokens from one: the `mlp` regressor of a map H(v_i | v_j).
///
/// It adds to least squares: it is trained on leave-one-out residuals of the linear fit on the same token, whitened, from
/// predictions of zero on, and has only to find what is not linear.
struct MapNetwork: Sendable {
  private let grid: TokenGrid
  private let network: Perceptron
  private let base: MapBase
  /// β, the share of what the network says of each token besides the reference that is kept, 0 ≤ β ≤ 1: the one that makes
  /// residuals of the validation images smallest, so that what is learned of one token does no harm to another.
  private(set) var shares: [Float]

  /// Trains on some images.
  ///
  /// - Parameters:
  ///   - all: The images there are, those not fitted to included; for messages.
  ///   - jitter: As ``ReferenceFit/init(reference:fittedTo:of:jitter:predict:)`` has it.
  ///   - progress: Told the mean validation loss of an image after every epoch, and how many epochs there are at most.
  /// - Throws: ``EstimationError`` for too few images or a loss that is no number, and what reading the features throws.
  /// - Complexity: O(epochs·m·n·d·hidden), and m·n·d numbers of memory.
  init(
    reference: GridCell, fittedTo features: some TokenFeatures, of all: Int? = nil,
    settings: NetworkSettings, jitter: Double = 0, seed: UInt64,
    progress: (Double, Int) -> Void = { _, _ in }
  ) throws {
    var generator = NormalGenerator(seed: seed, stream: 3)
    let (training, validation) = try generator.trainingParts(of: features)
    grid = features.grid
    let fit = try ReferenceFit(
      reference: features.grid.index(of: reference), fittedTo: features,
      of: all ?? features.imageCount, jitter: jitter)
    base = try MapBase(fit, fittedTo: features)
    let problem = try MapProblem(base, features)
    network = try Perceptron(
      for: problem, training: training, validation: validation, settings: settings,
      generator: &generator, source: features.name, progress: progress)
    shares = []
    let (rows, residuals) = problem.rows(of: validation)
    shares = bestShares(residuals, predicted: network.forward(rows).output)
  }

  /// The β of every token that makes whitened residuals smallest.
  private func bestShares(_ residuals: FloatMatrix, predicted: FloatMatrix) -> [Float] {
    let d = base.fit.channels
    var sums = base.fit.cells.map { _ in (product: 0.0, square: 0.0) }
    for index in residuals.elements.indices {
      let place = index % residuals.columns / d
      let said = Double(predicted.elements[index])
      sums[place].product += Double(residuals.elements[index]) * said
      sums[place].square += said * said
    }
    return sums.map { Float(bestShare(product: $0.product, square: $0.square)) }
  }

  /// Takes the residual covariances from the images fitted to.
  ///
  /// - Throws: ``EstimationError`` for residuals without spread, and what reading the features throws.
  func residualLaw(of features: some TokenFeatures, bound: EntropyBound) throws -> ResidualLaw {
    let cells = base.fit.cells
    var sums = ResidualSums(rows: cells.count, channels: features.featureDimensions)
    try forEachResidual(of: features, leavingOut: bound == .heldOut) { sums.add($0) }
    return try ResidualLaw(sums, bound: bound, scales: base.logarithmicScales) { row, channel in
      EstimationError.constantChannel(
        source: features.name, cell: grid.cell(at: cells[row]), channel: channel,
        images: sums.count)
    }
  }

  /// Calls `body` with every image's losses by raster index, that of the reference zero.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·n·d·(hidden + d)).
  func forEachLoss(
    of features: some TokenFeatures, law: ResidualLaw, _ body: ([Double]) -> Void
  ) throws {
    let cells = base.fit.cells
    try forEachResidual(of: features, leavingOut: false) { residuals in
      let losses = law.losses(of: residuals)
      for first in stride(from: 0, to: losses.count, by: cells.count) {
        var values = [Double](repeating: 0, count: grid.cellCount)
        for (place, cell) in cells.enumerated() { values[cell] = losses[first + place] }
        body(values)
      }
    }
  }

  /// Calls `body` with the whitened residuals of a block of images at a time, `images · (n − 1)` × d.
  func forEachResidual(
    of features: some TokenFeatures, leavingOut: Bool, _ body: (FloatMatrix) -> Void
  ) throws {
    let d = base.fit.channels
    try base.forEachBlock(of: features, leavingOut: leavingOut) { rows, residuals in
      var rest = residuals
      let predicted = network.forward(rows).output
      for index in rest.elements.indices {
        rest.elements[index] -= shares[index % rest.columns / d] * predicted.elements[index]
      }
      body(
        FloatMatrix(
          rows: rest.rows * base.fit.cells.count, columns: d, elements: rest.elements))
    }
  }
}

/// What a map's network starts from: residuals of least squares, whitened token by token.
private struct MapBase: Sendable {
  let fit: ReferenceFit
  /// The factor of each token's leave-one-out scatter, and the images it is of.
  private let factors: [CholeskyFactor]
  /// √m.
  private let scale: Double

  init(_ fit: ReferenceFit, fittedTo features: some TokenFeatures) throws {
    let d = fit.channels
    self.fit = fit
    scale = Double(fit.imageCount).squareRoot()
    factors = try fit.products(of: features, leavingOut: true).enumerated().map { place, own in
      do throws(NotPositiveDefinite) {
        return try CholeskyFactor(ofLowerTriangle: own.block(rows: 0..<d, columns: 0..<d))
      } catch {
        let grid = features.grid
        throw EstimationError.dependentChannel(
          source: features.name, cell: grid.cell(at: fit.cells[place]), channel: error.index,
          context: "token \(grid.cell(at: fit.reference)) and the token's other channels")
      }
    }
  }

  /// What the entropy of residuals in tokens' own units has more than that of whitened ones.
  var logarithmicScales: [Double] {
    factors.map { 0.5 * $0.logDeterminant - Double(fit.channels) * log(scale) }
  }

  /// Calls `body` with the whitened channels of the reference and the whitened residuals, images × (n − 1)·d, of a block of
  /// images at a time.
  func forEachBlock(
    of features: some TokenFeatures, leavingOut: Bool, _ body: (FloatMatrix, FloatMatrix) -> Void
  ) throws {
    let d = fit.channels
    try fit.forEachBlock(of: features, leavingOut: leavingOut) { block in
      let inputs = FloatMatrix(
        rows: block.images.count, columns: d,
        elements: block.whitened.elements.map { Float($0 * scale) })
      var residuals = FloatMatrix(rows: block.images.count, columns: block.linear.columns)
      for (place, factor) in factors.enumerated() {
        let own = factor.whiten(
          rows: block.linear.block(
            rows: 0..<block.images.count, columns: place * d..<(place + 1) * d))
        for i in 0..<block.images.count {
          for c in 0..<d {
            residuals.elements[i * residuals.columns + place * d + c] =
              Float(own.elements[i * d + c] * scale)
          }
        }
      }
      body(inputs, residuals)
    }
  }
}

/// The training of a ``MapNetwork``: an image makes one row.
private struct MapProblem: NetworkProblem {
  private let channels: FloatMatrix
  private let residuals: FloatMatrix

  init(_ base: MapBase, _ features: some TokenFeatures) throws {
    var (channels, residuals) = ([Float](), [Float]())
    let (d, columns) = (base.fit.channels, base.fit.cells.count * base.fit.channels)
    residuals.reserveCapacity(features.imageCount * columns)
    try base.forEachBlock(of: features, leavingOut: true) {
      channels += $0.elements
      residuals += $1.elements
    }
    self.channels = FloatMatrix(rows: features.imageCount, columns: d, elements: channels)
    self.residuals = FloatMatrix(
      rows: features.imageCount, columns: columns, elements: residuals)
  }

  var inputs: Int { channels.columns }
  var outputs: Int { residuals.columns }
  var rowsPerImage: Int { 1 }
  var largestBatch: Int { 256 }
  var biasDeviation: Double { 1 }
  var outputsOfShare: Int? { channels.columns }

  func rows(of images: [Int]) -> (inputs: FloatMatrix, residuals: FloatMatrix) {
    (channels.rows(images), residuals.rows(images))
  }

  func residuals(_ residuals: FloatMatrix, predicted: FloatMatrix) -> FloatMatrix {
    var result = residuals
    result.elements.withUnsafeMutableBufferPointer { result in
      predicted.elements.withUnsafeBufferPointer { predicted in
        for index in 0..<result.count { result[index] -= predicted[index] }
      }
    }
    return result
  }

  func gradient(ofResiduals gradient: FloatMatrix) -> FloatMatrix {
    var result = gradient
    result.elements.withUnsafeMutableBufferPointer { result in
      for index in 0..<result.count { result[index] = -result[index] }
    }
    return result
  }
}
