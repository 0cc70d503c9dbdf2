import LinearAlgebra

/// Stochastic gradient descent with adaptive moments and decoupled weight decay (Loshchilov and Hutter, 2019).
public struct AdamW: Sendable {
  /// The share of a parameter that decays in a step, per unit of learning rate.
  public let weightDecay: Float
  private var first: [Float]
  private var second: [Float]
  private var steps = 0

  private static let (beta1, beta2): (Float, Float) = (0.9, 0.999)
  private static let epsilon: Float = 1e-8

  /// Starts for a number of parameters.
  public init(parameterCount: Int, weightDecay: Float = 0.01) {
    self.weightDecay = weightDecay
    first = Array(repeating: 0, count: parameterCount)
    second = first
  }

  /// Moves the parameters one step against the gradient.
  ///
  /// - Complexity: O(parameters).
  public mutating func step(_ parameters: inout [Float], gradient: [Float], rate: Float) {
    precondition(
      parameters.count == first.count && gradient.count == first.count, "one moment a parameter")
    steps += 1
    let correction1 = 1 - Self.power(Self.beta1, steps)
    let correction2 = 1 - Self.power(Self.beta2, steps)
    let decay = 1 - rate * weightDecay
    parameters.withUnsafeMutableBufferPointer { parameters in
      gradient.withUnsafeBufferPointer { gradient in
        first.withUnsafeMutableBufferPointer { first in
          second.withUnsafeMutableBufferPointer { second in
            for i in 0..<parameters.count {
              let g = gradient[i]
              let m = Self.beta1 * first[i] + (1 - Self.beta1) * g
              let v = Self.beta2 * second[i] + (1 - Self.beta2) * g * g
              first[i] = m
              second[i] = v
              let step = m / correction1 / ((v / correction2).squareRoot() + Self.epsilon)
              parameters[i] = parameters[i] * decay - rate * step
            }
          }
        }
      }
    }
  }

  static func power(_ base: Float, _ exponent: Int) -> Float {
    var (result, factor, rest) = (1.0, Double(base), exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return Float(result)
  }
}
