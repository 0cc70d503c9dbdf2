import CKernels
import LinearAlgebra

/// The parts of a transformer layer between its matrix products.
public enum TransformerKernels {
  /// Computes out[r] = x[r] / √(mean(x[r]²) + ε) ⊙ weight for `rows` rows as wide as `weight`.
  public static func rmsNorm(
    _ x: FloatBuffer, weight: FloatBuffer, rows: Int, epsilon: Float, into out: FloatBuffer,
    team: WorkerTeam
  ) {
    precondition(rows * weight.count <= min(x.count, out.count), "buffers of rows · width floats")
    team.exclusively {
      te_rms_norm(
        team.handle, x.pointer, weight.pointer, rows, weight.count, epsilon, out.pointer)
    }
  }

  /// Computes out[r] = (x[r] − mean) / √(variance + ε) ⊙ weight + bias for `rows` rows as wide as `weight`; `out` may be `x`.
  public static func layerNorm(
    _ x: FloatBuffer, weight: FloatBuffer, bias: FloatBuffer, rows: Int, epsilon: Float,
    into out: FloatBuffer, team: WorkerTeam
  ) {
    precondition(
      rows * weight.count <= min(x.count, out.count) && weight.count == bias.count,
      "buffers of rows · width floats, weight and bias of one width")
    team.exclusively {
      te_layer_norm(
        team.handle, x.pointer, weight.pointer, bias.pointer, rows, weight.count, epsilon,
        out.pointer)
    }
  }

  /// Adds a bias to `rows` rows of its width, and then, where `gelu`, takes the exact GELU x·Φ(x) of every element.
  public static func addBias(
    _ bias: FloatBuffer, to x: FloatBuffer, rows: Int, gelu: Bool = false, team: WorkerTeam
  ) {
    precondition(rows * bias.count <= x.count, "a buffer of rows · width floats")
    team.exclusively {
      te_add_bias(team.handle, x.pointer, bias.pointer, rows, bias.count, gelu ? 1 : 0)
    }
  }

  /// Replaces `values` by their softmax.
  public static func softmax(_ values: inout [Float]) { softmax(&values, asBy: nil) }

  /// The same with the kernels of `team`, on the calling thread; nil for those chosen for this processor.
  static func softmax(_ values: inout [Float], asBy team: WorkerTeam?) {
    guard !values.isEmpty else { return }
    values.withUnsafeMutableBufferPointer { te_softmax(team?.handle, $0.baseAddress, $0.count) }
  }

  /// What each position's pairs of query and key coordinates are turned by.
  public struct Rotation: Sendable {
    let cosines: FloatBuffer
    let sines: FloatBuffer
    /// The number of pairs of a head.
    public let pairs: Int

    /// Makes a table of `positions × pairs` cosines and sines, row-major.
    public init(cosines: [Float], sines: [Float], pairs: Int) {
      precondition(cosines.count == sines.count && cosines.count % pairs == 0, "whole positions")
      self.cosines = FloatBuffer(cosines)
      self.sines = FloatBuffer(sines)
      self.pairs = pairs
    }

    /// No turn at any of so many positions: a model whose embeddings say where a token is.
    public static func identity(positions: Int, pairs: Int) -> Rotation {
      Rotation(
        cosines: Array(repeating: 1, count: positions * pairs),
        sines: Array(repeating: 0, count: positions * pairs), pairs: pairs)
    }
  }
}
