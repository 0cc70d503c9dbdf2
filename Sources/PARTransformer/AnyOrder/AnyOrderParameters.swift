import LinearAlgebra
import NeuralKernels

/// All parameters of an any-order transformer, or something of the same shape such as their gradients, in one allocation
/// with named views.
struct AnyOrderParameters: Sendable {
  let configuration: AnyOrderConfiguration
  let buffer: FloatBuffer
  private let places: [AnyOrderParameter: Range<Int>]

  /// Makes a buffer of zeros; tensors lie one after the other in the order of ``AnyOrderConfiguration/parameters``.
  init(_ configuration: AnyOrderConfiguration) {
    self.configuration = configuration
    var places: [AnyOrderParameter: Range<Int>] = [:]
    var end = 0
    for parameter in configuration.parameters {
      let count = parameter.shape(in: configuration).reduce(1, *)
      places[parameter] = end..<end + count
      end += count
    }
    self.places = places
    buffer = FloatBuffer(count: end)
  }

  /// Where a parameter's floats are; every parameter of the configuration has its place.
  func range(_ parameter: AnyOrderParameter) -> Range<Int> { places[parameter] ?? 0..<0 }

  /// A parameter's floats, row-major.
  subscript(_ parameter: AnyOrderParameter) -> FloatView {
    let range = range(parameter)
    return FloatView(buffer, offset: range.lowerBound, count: range.count)
  }

  /// A block's parameter.
  subscript(_ layer: Int, _ part: AnyOrderParameter.LayerPart) -> FloatView {
    self[.layer(layer, part)]
  }

  /// The whole buffer in ranges with their weight decay.
  func decays(_ weightDecay: Float) -> [(range: Range<Int>, decay: Float)] {
    configuration.parameters.map { (range($0), $0.decays ? weightDecay : 0) }
  }

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
