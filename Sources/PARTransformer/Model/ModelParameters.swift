import FileFormats
import LinearAlgebra
import NeuralKernels

/// All parameters of a model, or something of the same shape such as their gradients, in one allocation with named views.
///
/// Tensors lie one after the other in the order of the configuration's parameters.
struct ModelParameters<Configuration: ModelConfiguration>: Sendable {
  typealias Parameter = Configuration.Parameter

  let configuration: Configuration
  let buffer: FloatBuffer
  private let places: [Parameter: Range<Int>]

  /// Makes a buffer of zeros.
  init(_ configuration: Configuration) {
    self.configuration = configuration
    var places: [Parameter: Range<Int>] = [:]
    var end = 0
    for parameter in configuration.parameters {
      let count = parameter.shape(in: configuration).reduce(1, *)
      places[parameter] = end..<end + count
      end += count
    }
    self.places = places
    buffer = FloatBuffer(count: end)
  }

  /// Where a parameter's floats are.
  func range(_ parameter: Parameter) -> Range<Int> {
    // Every parameter of the configuration has its place; a PAR model for one token a step has no transition tokens.
    places[parameter] ?? 0..<0
  }

  /// A parameter's floats, row-major.
  subscript(_ parameter: Parameter) -> FloatView {
    let range = range(parameter)
    return FloatView(buffer, offset: range.lowerBound, count: range.count)
  }

  /// A block's parameter.
  subscript(_ layer: Int, _ part: Parameter.LayerPart) -> FloatView {
    self[.layer(layer, part)]
  }

  /// The whole buffer in ranges with their weight decay.
  func decays(_ weightDecay: Float) -> [(range: Range<Int>, decay: Float)] {
    configuration.parameters.map { (range($0), $0.decays ? weightDecay : 0) }
  }

  /// The tensors of a file, with the numbers of this buffer or of another of its shape.
  func tensors(
    of buffer: FloatBuffer? = nil, named name: (Parameter) -> String = { $0.name }
  ) -> [SafetensorsTensor] {
    let buffer = buffer ?? self.buffer
    return configuration.parameters.map {
      SafetensorsTensor(
        name: name($0), shape: $0.shape(in: configuration), elements: buffer[range($0)])
    }
  }
}

/// The parameters of a PAR transformer.
typealias ParameterBuffer = ModelParameters<PARConfiguration>

/// The parameters of an any-order transformer.
typealias AnyOrderParameters = ModelParameters<AnyOrderConfiguration>

extension ModelParameters<PARConfiguration> {
  /// Gate and up of a block, which are neighbours, one below the other: 2F × D.
  func gateAndUp(_ layer: Int) -> FloatView {
    let (gate, up) = (range(.layer(layer, .gate)), range(.layer(layer, .up)))
    precondition(gate.upperBound == up.lowerBound, "gate and up are neighbours")
    return FloatView(buffer, offset: gate.lowerBound, count: gate.count + up.count)
  }
}

extension ModelParameters<AnyOrderConfiguration> {
  /// A copy of the parameters for inference.
  func weights() throws -> AnyOrderWeights {
    try AnyOrderWeights(
      configuration: configuration,
      matrix: { parameter in
        let shape = parameter.shape(in: configuration)
        return WeightMatrix(
          rows: shape[0], columns: shape[1], precision: .float32, elements: self[parameter].values)
      },
      vector: { self[$0].values })
  }
}
