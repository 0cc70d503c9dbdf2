import FileFormats
import LinearAlgebra
import NeuralKernels
import TokenGrids

/// The tensors of an any-order transformer's checkpoint under their plain names, their shapes checked.
public struct AnyOrderTensors: Sendable {
  /// The file.
  public let source: any TensorSource
  /// The free-form strings of a safetensors file; empty for others.
  public let metadata: [String: String]
  /// The extents, read off the shapes.
  public let configuration: AnyOrderConfiguration
  private let storedNames: [String: String]

  /// Reads the extents off the tensors' shapes and makes sure that every tensor is there, has its shape, and that there is no
  /// other.
  ///
  /// Where a file has its weights under `model`, whatever else it holds is passed over, and so are an optimizer's moments.
  /// The number of heads, which no shape tells, is the metadata's `heads`, or else `heads`, or else that of the published
  /// size; the grid is the metadata's `grid`, or else a square one.
  ///
  /// - Throws: ``PARError`` that names the file and the first tensor that is missing, unexpected or misshapen.
  public init(_ source: any TensorSource, heads: Int? = nil) throws {
    self.source = source
    metadata = (source as? SafetensorsCheckpoint)?.metadata ?? [:]
    storedNames = try Self.plainNames(of: source)
    configuration = try Self.configuration(
      source, storedNames: storedNames, metadata: metadata, heads: heads)
    var unexpected = Set(storedNames.keys)
    for parameter in configuration.parameters {
      let (name, expected) = (parameter.name, parameter.shape(in: configuration))
      let found = try Self.shape(name, source, storedNames)
      guard found == expected else {
        throw PARError.wrongShape(
          file: source.path, tensor: name, found: found, expected: expected)
      }
      unexpected.remove(name)
    }
    guard unexpected.isEmpty else {
      throw PARError.unexpectedTensors(
        file: source.path, kind: "any-order", names: unexpected.sorted())
    }
  }

  /// Whether a file's tensors are those of an any-order transformer, rather than of a PAR transformer.
  public static func areIn(_ source: any TensorSource) -> Bool {
    let wanted = [AnyOrderParameter.nullEmbedding, .maskEmbedding, .positionEmbedding].map(\.name)
    return wanted.allSatisfy { name in
      source.tensorNames.contains { $0 == name || $0.hasSuffix("." + name) }
    }
  }

  /// The name each tensor has in the file, by its name without a wrapper's prefix.
  private static func plainNames(of source: any TensorSource) throws -> [String: String] {
    let wrappers = ["model.", "module.", "_orig_mod."]
    let isUnderModel = source.tensorNames.contains { $0.hasPrefix("model.") }
    var names: [String: String] = [:]
    for stored in source.tensorNames {
      if stored.hasPrefix(TrainedModel.momentPrefix) { continue }
      if isUnderModel, !stored.hasPrefix("model.") { continue }
      var name = Substring(stored)
      while let prefix = wrappers.first(where: name.hasPrefix) {
        name = name.dropFirst(prefix.count)
      }
      if let other = names.updateValue(stored, forKey: String(name)) {
        throw PARError.ambiguousTensor(
          file: source.path, name: String(name), candidates: [other, stored])
      }
    }
    return names
  }

  private static func shape(
    _ name: String, _ source: any TensorSource, _ storedNames: [String: String]
  ) throws -> [Int] {
    guard let stored = storedNames[name], let shape = source.shape(of: stored) else {
      throw PARError.missingTensor(file: source.path, tensor: name)
    }
    return shape
  }

  private static func configuration(
    _ source: any TensorSource, storedNames: [String: String], metadata: [String: String],
    heads: Int?
  ) throws -> AnyOrderConfiguration {
    func extents(_ parameter: AnyOrderParameter, dimensions: Int) throws -> [Int] {
      let found = try shape(parameter.name, source, storedNames)
      guard found.count == dimensions, found.allSatisfy({ $0 > 0 }) else {
        throw PARError.wrongShape(
          file: source.path, tensor: parameter.name, found: found,
          expected: Array(repeating: 0, count: dimensions))
      }
      return found
    }
    let tokens = try extents(.tokenEmbedding, dimensions: 2)
    let classes = try extents(.classEmbedding, dimensions: 2)
    let positions = try extents(.positionEmbedding, dimensions: 3)
    var layers = 1
    while storedNames[AnyOrderParameter.layer(layers, .up).name] != nil { layers += 1 }
    let stray = storedNames.keys.sorted().first { name in
      guard let match = name.prefixMatch(of: /blocks\.([0-9]+)\./) else { return false }
      return Int(match.1).map { $0 >= layers } ?? true
    }
    if let stray { throw PARError.strayLayer(file: source.path, tensor: stray, layers: layers) }
    let own = metadata["heads"].flatMap { Int($0) }
    if let heads, let own, heads != own {
      throw PARError.otherHeads(file: source.path, asked: heads, own: own)
    }
    guard
      let heads = own ?? heads ?? AnyOrderPreset.heads(layers: layers, width: tokens[1])
    else {
      throw PARError.unknownHeads(file: source.path, layers: layers, width: tokens[1])
    }
    let cells = positions[1] - 1
    let side = Int(Double(max(cells, 0)).squareRoot().rounded())
    let square = side > 0 && side * side == cells ? TokenGrid(rows: side, columns: side) : nil
    guard let grid = metadata["grid"].flatMap({ TokenGrid($0) }) ?? square,
      grid.cellCount == cells
    else {
      throw PARError.unknownGrid(file: source.path, positions: positions[1])
    }
    let configuration = AnyOrderConfiguration(
      layers: layers, heads: heads, width: tokens[1], codes: tokens[0], classes: classes[0],
      grid: grid)
    try configuration.validate()
    return configuration
  }

  private func storedName(_ parameter: AnyOrderParameter) -> String {
    storedNames[parameter.name] ?? parameter.name
  }

  /// The elements of a parameter, row-major.
  ///
  /// - Throws: ``PARError/notFinite(file:tensor:index:)``, or why the file cannot be read.
  func floats(_ parameter: AnyOrderParameter) throws -> [Float] {
    let values = try source.floats(storedName(parameter))
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw PARError.notFinite(file: source.path, tensor: parameter.name, index: index)
    }
    return values
  }

  /// A parameter of two dimensions for matrix products.
  func matrix(
    _ parameter: AnyOrderParameter, precision: WeightPrecision?
  ) throws -> WeightMatrix {
    let name = storedName(parameter)
    if let checkpoint = source as? SafetensorsCheckpoint {
      return try checkpoint.file(of: name).weights(name, precision: precision)
    }
    let shape = parameter.shape(in: configuration)
    return WeightMatrix(
      rows: shape[0], columns: shape[1], precision: precision ?? .float32,
      elements: try source.floats(name))
  }
}
