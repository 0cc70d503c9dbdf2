import FileFormats
import LinearAlgebra
import NeuralKernels
import TokenGrids

/// The parameters of an any-order transformer, ready for inference.
public struct AnyOrderWeights: Sendable {
  /// The scale and the shift of a layer norm.
  struct Norm: Sendable {
    let weight: FloatBuffer
    let bias: FloatBuffer
  }

  /// A matrix and the bias that is added after it.
  struct Linear: Sendable {
    let matrix: WeightMatrix
    let bias: FloatBuffer
  }

  /// The parameters of one block.
  struct Layer: Sendable {
    let attentionNorm: Norm
    let queriesKeysValues: Linear
    let attentionOutput: Linear
    let feedForwardNorm: Norm
    let up: Linear
    let down: Linear
  }

  /// The model's extents.
  public let configuration: AnyOrderConfiguration
  let classEmbedding: WeightMatrix
  let nullEmbedding: WeightMatrix
  let tokenEmbedding: WeightMatrix
  /// (N + 1) × D, the class first.
  let positions: [Float]
  let maskEmbedding: FloatBuffer
  let inputNorm: Norm
  let layers: [Layer]
  let norm: Norm
  let output: WeightMatrix

  /// Assembles the parameters that two functions supply by name.
  init(
    configuration: AnyOrderConfiguration,
    matrix: (AnyOrderParameter) throws -> WeightMatrix,
    vector: (AnyOrderParameter) throws -> [Float]
  ) throws {
    func norm(_ weight: AnyOrderParameter, _ bias: AnyOrderParameter) throws -> Norm {
      Norm(weight: FloatBuffer(try vector(weight)), bias: FloatBuffer(try vector(bias)))
    }
    func linear(
      _ layer: Int, _ weight: AnyOrderParameter.LayerPart, _ bias: AnyOrderParameter.LayerPart
    ) throws -> Linear {
      Linear(
        matrix: try matrix(.layer(layer, weight)),
        bias: FloatBuffer(try vector(.layer(layer, bias))))
    }
    self.configuration = configuration
    classEmbedding = try matrix(.classEmbedding)
    nullEmbedding = try matrix(.nullEmbedding)
    tokenEmbedding = try matrix(.tokenEmbedding)
    positions = try vector(.positionEmbedding)
    maskEmbedding = FloatBuffer(try vector(.maskEmbedding))
    inputNorm = try norm(.inputNormWeight, .inputNormBias)
    layers = try (0..<configuration.layers).map { index in
      Layer(
        attentionNorm: try norm(
          .layer(index, .attentionNormWeight), .layer(index, .attentionNormBias)),
        queriesKeysValues: try linear(index, .queriesKeysValues, .queriesKeysValuesBias),
        attentionOutput: try linear(index, .attentionOutput, .attentionOutputBias),
        feedForwardNorm: try norm(
          .layer(index, .feedForwardNormWeight), .layer(index, .feedForwardNormBias)),
        up: try linear(index, .up, .upBias), down: try linear(index, .down, .downBias))
    }
    self.norm = try norm(.normWeight, .normBias)
    output = try matrix(.output)
  }

  /// Takes the parameters from a checkpoint's tensors.
  ///
  /// Matrices stay in the mapped file of a safetensors checkpoint where it holds `precision` already.
  ///
  /// - Parameter precision: how to keep the matrices; nil keeps BF16 and F32 of safetensors as stored and widens the rest.
  /// - Throws: ``PARError`` for a parameter that is not a finite number, or why the file cannot be read.
  public init(_ tensors: AnyOrderTensors, precision: WeightPrecision? = nil) throws {
    try self.init(
      configuration: tensors.configuration,
      matrix: { try tensors.matrix($0, precision: precision) },
      vector: { try tensors.floats($0) })
  }

  /// Makes random weights for timing: matrices and embeddings with standard deviation 0.02, norms of 1, biases of 0.
  ///
  /// - Throws: ``PARError`` for an impossible configuration.
  public init(
    randomFor configuration: AnyOrderConfiguration, precision: WeightPrecision, seed: UInt64 = 0,
    team: WorkerTeam
  ) throws {
    try configuration.validate()
    try configuration.requireMemory(
      bytesPerParameter: precision == .bfloat16 ? 2 : 4, for: "weights")
    var streams = seed
    func random(_ rows: Int, _ columns: Int, _ precision: WeightPrecision) -> WeightMatrix {
      streams &+= 0x632b_e59b_d9b4_e019
      return WeightMatrix(
        randomWithRows: rows, columns: columns, precision: precision, standardDeviation: 0.02,
        seed: streams, team: team)
    }
    try self.init(
      configuration: configuration,
      matrix: { parameter in
        let shape = parameter.shape(in: configuration)
        return random(shape[0], shape[1], precision)
      },
      vector: { parameter in
        let count = parameter.shape(in: configuration).reduce(1, *)
        if parameter.isScale || parameter.isShift {
          return Array(repeating: parameter.isScale ? 1 : 0, count: count)
        }
        return random(1, count, .float32).row(0)
      })
  }

  /// The bytes one forward pass reads.
  public var streamedByteCount: Int {
    layers.reduce(output.byteCount) {
      $0 + $1.queriesKeysValues.matrix.byteCount + $1.attentionOutput.matrix.byteCount
        + $1.up.matrix.byteCount + $1.down.matrix.byteCount
    }
  }

  /// How the matrices are kept.
  public var precision: WeightPrecision { output.precision }

  /// The position embeddings of the class and of every cell of a grid, (N + 1) × D.
  ///
  /// Those of another grid are resized bicubically, each channel by itself; the class's stays as it is.
  ///
  /// - Throws: ``PARError/cannotResize(from:to:)`` where one of the grids is a video's.
  func positions(on grid: TokenGrid) throws(PARError) -> FloatBuffer {
    let own = configuration.grid
    if grid == own { return FloatBuffer(positions) }
    guard !grid.isVideo, !own.isVideo else { throw .cannotResize(from: own, to: grid) }
    let width = configuration.width
    let cells = BicubicResize(
      fromRows: own.rows, columns: own.columns, toRows: grid.rows, columns: grid.columns)
    return FloatBuffer(
      Array(positions[..<width])
        + cells.resize(positions[width...], channels: width))
  }
}
