import CKernels
import LinearAlgebra

/// AdamW on parameters at a fixed address, by all threads of a team, with the gradient's norm clipped on the way.
///
/// Results do not depend on the number of threads. See ``AdamW`` for small lists of parameters.
public final class BufferedAdamW {
  /// β₁, the share of the first moment that stays in a step.
  public let beta1: Float
  /// β₂, that of the second moment.
  public let beta2: Float
  /// The first moments.
  public let first: FloatBuffer
  /// The second moments.
  public let second: FloatBuffer
  /// How many steps have been made; corrections of the moments depend on it.
  public var steps = 0

  private static let epsilon: Float = 1e-8
  /// Parameters that are handled at once.
  private static let piece = 16_384

  /// Starts with moments of zero.
  public init(parameterCount: Int, beta1: Float, beta2: Float) {
    (self.beta1, self.beta2) = (beta1, beta2)
    first = FloatBuffer(count: parameterCount)
    second = FloatBuffer(count: parameterCount)
  }

  /// Adds up gradients into the first of them, sets the others to zero and returns the norm of the sum.
  ///
  /// - Complexity: O(gradients · parameters), at the speed of memory.
  public func collect(_ gradients: [FloatBuffer], team: WorkerTeam) -> Double {
    let count = first.count
    precondition(!gradients.isEmpty && gradients.allSatisfy { $0.count >= count }, "gradients")
    let pieces = (count + Self.piece - 1) / Self.piece
    let squares = team.map(pieces) { piece in
      let start = piece * Self.piece
      let length = min(Self.piece, count - start)
      var total = 0.0
      for other in 1..<max(2, gradients.count) {
        total = te_train_collect(
          gradients[0].pointer + start,
          other < gradients.count ? gradients[other].pointer + start : nil, length,
          other + 1 >= gradients.count ? 1 : 0)
      }
      return total
    }
    return squares.reduce(0, +).squareRoot()
  }

  /// Moves parameters one step against the gradient times `gradientScale`, and sets the gradient to zero.
  ///
  /// - Parameter decays: ranges of parameters, which together cover all, each with its weight decay.
  /// - Complexity: O(parameters), at the speed of memory.
  public func step(
    _ parameters: FloatBuffer, gradient: FloatBuffer, gradientScale: Float, rate: Float,
    decays: [(range: Range<Int>, decay: Float)], team: WorkerTeam
  ) {
    precondition(
      parameters.count >= self.first.count && gradient.count >= self.first.count
        && decays.allSatisfy {
          $0.range.lowerBound >= 0 && $0.range.upperBound <= self.first.count
        },
      "one moment a parameter")
    steps += 1
    let corrections = (
      1 - AdamW.power(beta1, steps), 1 - AdamW.power(beta2, steps)
    )
    let (beta1, beta2, first, second) = (beta1, beta2, first, second)
    let pieces = decays.flatMap { part in
      stride(from: part.range.lowerBound, to: part.range.upperBound, by: Self.piece).map {
        ($0..<min($0 + Self.piece, part.range.upperBound), part.decay)
      }
    }
    team.forEach(pieces.count) { index in
      let (range, decay) = pieces[index]
      var step = te_adamw_step(
        beta1: beta1, beta2: beta2, epsilon: Self.epsilon, rate: rate, decay: decay,
        correction1: corrections.0, correction2: corrections.1, gradient_scale: gradientScale)
      let start = range.lowerBound
      te_train_adamw(
        &step, parameters.pointer + start, gradient.pointer + start, first.pointer + start,
        second.pointer + start, range.count)
    }
  }
}
