import FileFormats
import LinearAlgebra
import NeuralKernels
import TokenData

/// The parameters of a PAR transformer, ready for inference.
public struct PARWeights: Sendable {
  /// The parameters of one block.
  struct Layer: Sendable {
    let attentionNorm: FloatBuffer
    let queriesKeysValues: WeightMatrix
    let attentionOutput: WeightMatrix
    let feedForwardNorm: FloatBuffer
    let gate: WeightMatrix
    let up: WeightMatrix
    let down: WeightMatrix
  }

  /// The model's extents.
  public let configuration: PARConfiguration
  let classEmbedding: WeightMatrix
  let tokenEmbedding: WeightMatrix
  let transitionEmbedding: WeightMatrix?
  let layers: [Layer]
  let norm: FloatBuffer
  let output: WeightMatrix

  /// Assembles the parameters that two functions supply by name.
  private init(
    configuration: PARConfiguration,
    matrix: (PARParameter) throws -> WeightMatrix,
    vector: (PARParameter) throws -> [Float]
  ) throws {
    self.configuration = configuration
    classEmbedding = try matrix(.classEmbedding)
    tokenEmbedding = try matrix(.tokenEmbedding)
    transitionEmbedding =
      configuration.tokensPerStep > 1 ? try matrix(.transitionEmbedding) : nil
    layers = try (0..<configuration.layers).map { index in
      Layer(
        attentionNorm: FloatBuffer(try vector(.layer(index, .attentionNorm))),
        queriesKeysValues: try matrix(.layer(index, .queriesKeysValues)),
        attentionOutput: try matrix(.layer(index, .attentionOutput)),
        feedForwardNorm: FloatBuffer(try vector(.layer(index, .feedForwardNorm))),
        gate: try matrix(.layer(index, .gate)), up: try matrix(.layer(index, .up)),
        down: try matrix(.layer(index, .down)))
    }
    norm = FloatBuffer(try vector(.norm))
    output = try matrix(.output)
  }

  /// Reads a checkpoint, its extents off the tensors' shapes.
  ///
  /// Matrices stay in the mapped file where it holds `precision` already. The number of heads, which no shape tells,
  /// is the file's metadata entry `heads`, or else `heads`, or else that of the published size with these layers and
  /// this width.
  ///
  /// - Parameter precision: how to keep the matrices; nil keeps BF16 and F32 as stored and widens F16 to F32.
  /// - Throws: ``SafetensorsError`` or ``PARError`` for a missing, unexpected or misshapen tensor, and for `heads` that the
  ///   metadata contradict.
  public init(
    checkpoint: SafetensorsCheckpoint, heads: Int? = nil, precision: WeightPrecision? = nil
  ) throws {
    let tensors = try CheckpointTensors(checkpoint)
    let configuration = try tensors.configuration(heads: heads)
    try tensors.check(against: configuration)
    try self.init(
      configuration: configuration,
      matrix: { try tensors.file(of: $0).weights(tensors.storedName($0), precision: precision) },
      vector: { parameter in
        let values = try tensors.file(of: parameter).floats(tensors.storedName(parameter))
        if let index = values.firstIndex(where: { !$0.isFinite }) {
          throw PARError.notFinite(file: checkpoint.path, tensor: parameter.name, index: index)
        }
        return values
      })
  }

  /// Makes random weights for timing: matrices with standard deviation 0.02, norms of 1.
  ///
  /// - Throws: ``PARError`` for an impossible configuration.
  public init(
    randomFor configuration: PARConfiguration, precision: WeightPrecision, seed: UInt64 = 0,
    team: WorkerTeam
  ) throws {
    try configuration.validate()
    try configuration.requireMemory(
      bytesPerParameter: precision == .bfloat16 ? 2 : 4, for: "weights")
    var streams = seed
    try self.init(
      configuration: configuration,
      matrix: { parameter in
        let shape = parameter.shape(in: configuration)
        streams &+= 0x632b_e59b_d9b4_e019
        return WeightMatrix(
          randomWithRows: shape[0], columns: shape[1], precision: precision,
          standardDeviation: 0.02, seed: streams, team: team)
      },
      vector: { Array(repeating: 1, count: $0.shape(in: configuration)[0]) })
  }

  /// The bytes one forward pass reads.
  public var streamedByteCount: Int {
    layers.reduce(output.byteCount) {
      $0 + $1.queriesKeysValues.byteCount + $1.attentionOutput.byteCount + $1.gate.byteCount
        + $1.up.byteCount + $1.down.byteCount
    }
  }

  /// How the matrices are kept.
  public var precision: WeightPrecision { output.precision }
}

/// A checkpoint's tensors under their plain names.
struct CheckpointTensors {
  let checkpoint: SafetensorsCheckpoint
  /// The name each tensor has in the file, by its name without a wrapper's prefix.
  private var storedNames: [String: String] = [:]

  init(_ checkpoint: SafetensorsCheckpoint) throws {
    self.checkpoint = checkpoint
    for stored in checkpoint.tensorNames {
      if stored.hasPrefix(TrainedModel.momentPrefix) { continue }
      var name = Substring(stored)
      while let prefix = [
        "model.", "module.", "_orig_mod.", "state_dict.", "model_state_dict.", "ema.",
      ].first(where: name.hasPrefix) {
        name = name.dropFirst(prefix.count)
      }
      // A buffer that old checkpoints carry; it follows from the grid.
      if name == "freqs_cis" { continue }
      if let other = storedNames.updateValue(stored, forKey: String(name)) {
        throw PARError.ambiguousTensor(
          file: checkpoint.path, name: String(name), candidates: [other, stored])
      }
    }
  }

  func storedName(_ parameter: PARParameter) -> String {
    storedNames[parameter.name] ?? parameter.name
  }

  func file(of parameter: PARParameter) throws -> SafetensorsFile {
    try checkpoint.file(of: storedName(parameter))
  }

  private func shape(_ parameter: PARParameter, leastRows: Int = 1) throws -> [Int] {
    let entry = try file(of: parameter).entry(storedName(parameter))
    guard entry.shape.count == 2, entry.shape[0] >= leastRows, entry.shape[1] > 0 else {
      throw SafetensorsError.wrongShape(
        file: checkpoint.path, tensor: parameter.name, found: entry.shape, expected: [0, 0])
    }
    return entry.shape
  }

  /// Reads the extents off the shapes.
  func configuration(heads: Int?) throws -> PARConfiguration {
    let tokens = try shape(.tokenEmbedding)
    let classes = try shape(.classEmbedding)
    let gate = try shape(.layer(0, .gate))
    // A model for one token at a time has no transition tokens; its tensor may be there and empty.
    let transitions =
      storedNames[PARParameter.transitionEmbedding.name] == nil
      ? 0 : try shape(.transitionEmbedding, leastRows: 0)[0]
    // Counted, not read off a name: numbers in names may be any. What lies beyond a gap belongs to no model.
    var layers = 1
    while storedNames[PARParameter.layer(layers, .gate).name] != nil { layers += 1 }
    let stray = storedNames.keys.sorted().first { name in
      guard let match = name.prefixMatch(of: /layers\.([0-9]+)\./) else { return false }
      return Int(match.1).map { $0 >= layers } ?? true
    }
    if let stray {
      throw PARError.strayLayer(file: checkpoint.path, tensor: stray, layers: layers)
    }
    let width = tokens[1]
    let own = checkpoint.metadata["heads"].flatMap { Int($0) }
    if let heads, let own, heads != own {
      throw PARError.otherHeads(file: checkpoint.path, asked: heads, own: own)
    }
    guard
      let heads = own ?? heads ?? PARPreset.heads(layers: layers, width: width)
    else {
      throw PARError.unknownHeads(file: checkpoint.path, layers: layers, width: width)
    }
    let configuration = PARConfiguration(
      layers: layers, heads: heads, width: width, hiddenWidth: gate[0], codes: tokens[0],
      classes: classes[0] - 1, tokensPerStep: transitions + 1)
    try configuration.validate()
    return configuration
  }

  /// Makes sure that every tensor is there, has its shape and a type that serves, and that there is no other.
  func check(against configuration: PARConfiguration) throws {
    let allowed: [SafetensorsType] = [.float32, .float16, .bfloat16]
    var unexpected = Set(storedNames.keys)
    var parameters = configuration.parameters
    if configuration.tokensPerStep == 1, unexpected.contains(PARParameter.transitionEmbedding.name)
    {
      parameters.append(.transitionEmbedding)
    }
    for parameter in parameters {
      let entry = try file(of: parameter).entry(storedName(parameter))
      let shape = parameter.shape(in: configuration)
      guard entry.shape == shape else {
        throw SafetensorsError.wrongShape(
          file: checkpoint.path, tensor: parameter.name, found: entry.shape, expected: shape)
      }
      guard allowed.contains(entry.type) else {
        throw SafetensorsError.wrongType(
          file: checkpoint.path, tensor: parameter.name, found: entry.type, expected: allowed)
      }
      unexpected.remove(parameter.name)
    }
    guard unexpected.isEmpty else {
      throw PARError.unexpectedTensors(file: checkpoint.path, names: unexpected.sorted())
    }
  }
}
