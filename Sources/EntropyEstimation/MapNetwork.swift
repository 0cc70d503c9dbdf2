import Foundation
import LinearAlgebra
import TokenData
import TokenGrids

/// A network trained to predict all tokens from one: the `mlp` regressor of a map H(v_i | v_j).
struct MapNetwork: Sendable {
  private let reference: Int
  private let grid: TokenGrid
  private let network: Perceptron
  private let problem: Standardisation

  /// Trains on some images.
  ///
  /// - Throws: ``EstimationError`` for too few images or a loss that is no number, and what reading the features throws.
  /// - Complexity: O(epochs·m·n·d·hidden).
  init(
    reference: GridCell, fittedTo features: some TokenFeatures, settings: NetworkSettings,
    seed: UInt64, progress: (Double) -> Void = { _ in }
  ) throws {
    var generator = NormalGenerator(seed: seed, stream: 3)
    let (training, validation) = try generator.trainingParts(of: features)
    self.reference = features.grid.index(of: reference)
    grid = features.grid
    problem = try Standardisation(features, reference: self.reference)
    network = try Perceptron(
      for: MapProblem(problem: problem, features: features), training: training,
      validation: validation, settings: settings, generator: &generator, source: features.name,
      progress: progress)
  }

  /// Takes the residual covariances from images.
  ///
  /// - Throws: ``EstimationError`` for residuals without spread, and what reading the features throws.
  func residualLaw(of features: some TokenFeatures, bound: EntropyBound) throws -> ResidualLaw {
    var sums = ResidualSums(rows: grid.cellCount, channels: features.featureDimensions)
    try forEachResidual(of: features) { sums.add($0) }
    return try ResidualLaw(sums, bound: bound, scales: problem.logarithmicScales) { cell, channel in
      EstimationError.constantChannel(
        source: features.name, cell: grid.cell(at: cell), channel: channel, images: sums.count)
    }
  }

  /// Calls `body` with every image's losses by raster index.
  func forEachLoss(
    of features: some TokenFeatures, law: ResidualLaw, _ body: (ArraySlice<Double>) -> Void
  ) throws {
    let n = grid.cellCount
    try forEachResidual(of: features) { residuals in
      let losses = law.losses(of: residuals)
      for first in stride(from: 0, to: losses.count, by: n) { body(losses[first..<first + n]) }
    }
  }

  private func forEachResidual(
    of features: some TokenFeatures, _ body: (SingleMatrix) -> Void
  ) throws {
    let problem = MapProblem(problem: problem, features: features)
    for start in stride(from: 0, to: features.imageCount, by: problem.largestBatch) {
      let images = Array(start..<min(start + problem.largestBatch, features.imageCount))
      let (rows, residuals) = try problem.rows(of: images)
      let rest = problem.residuals(residuals, predicted: network.forward(rows).output)
      body(
        SingleMatrix(
          rows: images.count * grid.cellCount, columns: features.featureDimensions,
          elements: rest.elements))
    }
  }
}

/// Means and standard deviations of all coordinates.
private struct Standardisation: Sendable {
  let reference: Int
  let channels: Int
  let mean: [Float]
  let deviation: [Float]

  init(_ features: some TokenFeatures, reference: Int) throws {
    let columns = features.grid.cellCount * features.featureDimensions
    let sample = try features.spreadSample(of: 0..<features.imageCount)
    var moments = [RunningMoments](repeating: RunningMoments(), count: columns)
    for (index, value) in sample.enumerated() { moments[index % columns].add(Double(value)) }
    self.reference = reference
    channels = features.featureDimensions
    mean = moments.map { Float($0.mean) }
    deviation = moments.map { $0.variance > 0 ? Float($0.variance.squareRoot()) : 1 }
  }

  /// By raster index.
  var logarithmicScales: [Double] {
    (0..<deviation.count / channels).map { cell in
      (0..<channels).reduce(0.0) { $0 + log(Double(deviation[cell * channels + $1])) }
    }
  }
}

/// The training of a ``MapNetwork``: an image makes one row.
private struct MapProblem<Features: TokenFeatures>: NetworkProblem {
  let problem: Standardisation
  let features: Features

  var inputs: Int { problem.channels }
  var outputs: Int { problem.mean.count }
  var rowsPerImage: Int { 1 }
  var largestBatch: Int { 256 }

  func rows(of images: [Int]) throws -> (inputs: SingleMatrix, residuals: SingleMatrix) {
    let (d, columns) = (problem.channels, problem.mean.count)
    let values = try ImageSubset(of: features, images: images)
      .features(ofImages: 0..<images.count)
    var residuals = SingleMatrix(rows: images.count, columns: columns, elements: values)
    var inputs = SingleMatrix(rows: images.count, columns: d)
    for i in 0..<images.count {
      for c in 0..<columns {
        residuals.elements[i * columns + c] =
          (residuals.elements[i * columns + c] - problem.mean[c]) / problem.deviation[c]
      }
      for c in 0..<d { inputs[i, c] = residuals[i, problem.reference * d + c] }
    }
    return (inputs, residuals)
  }

  /// The reference is not predicted: it would predict itself.
  func residuals(_ residuals: SingleMatrix, predicted: SingleMatrix) -> SingleMatrix {
    var result = residuals
    let reference = problem.reference * problem.channels
    for index in result.elements.indices
    where !(reference..<reference + problem.channels).contains(index % outputs) {
      result.elements[index] -= predicted.elements[index]
    }
    return result
  }

  func gradient(ofResiduals gradient: SingleMatrix) -> SingleMatrix {
    var result = gradient
    let reference = problem.reference * problem.channels
    for index in result.elements.indices {
      let isOwn = (reference..<reference + problem.channels).contains(index % outputs)
      result.elements[index] = isOwn ? 0 : -gradient.elements[index]
    }
    return result
  }
}
