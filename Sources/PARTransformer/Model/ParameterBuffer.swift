import LinearAlgebra
import NeuralKernels

/// All parameters of a model, or something of the same shape such as their gradients, in one allocation with named views.
///
/// Tensors lie one after the other in the order of ``PARConfiguration/parameters``; gate and up, which are neighbours in
/// every layer, are also one tensor of 2F rows.
struct ParameterBuffer: Sendable {
  let configuration: PARConfiguration
  let buffer: FloatBuffer
  private let places: [PARParameter: Range<Int>]

  /// Makes a buffer of zeros.
  init(_ configuration: PARConfiguration) {
    self.configuration = configuration
    var places: [PARParameter: Range<Int>] = [:]
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
  func range(_ parameter: PARParameter) -> Range<Int> {
    // Every parameter of the configuration has its place; a model for one token a step has no transition tokens.
    places[parameter] ?? 0..<0
  }

  /// A parameter's floats, row-major.
  subscript(_ parameter: PARParameter) -> FloatView {
    let range = range(parameter)
    return FloatView(buffer, offset: range.lowerBound, count: range.count)
  }

  /// A block's parameter.
  subscript(_ layer: Int, _ part: PARParameter.LayerPart) -> FloatView {
    self[.layer(layer, part)]
  }

  /// Gate and up of a block, one below the other: 2F × D.
  func gateAndUp(_ layer: Int) -> FloatView {
    let (gate, up) = (range(.layer(layer, .gate)), range(.layer(layer, .up)))
    precondition(gate.upperBound == up.lowerBound, "gate and up are neighbours")
    return FloatView(buffer, offset: gate.lowerBound, count: gate.count + up.count)
  }

  /// The whole buffer in ranges with their weight decay: matrices decay, the scales of norms do not.
  func decays(_ weightDecay: Float) -> [(range: Range<Int>, decay: Float)] {
    configuration.parameters.map { parameter in
      (range(parameter), parameter.shape(in: configuration).count > 1 ? weightDecay : 0)
    }
  }
}
