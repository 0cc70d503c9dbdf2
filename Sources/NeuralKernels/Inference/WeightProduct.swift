import CKernels
import COpenBLAS
import LinearAlgebra

/// Products of a ``WeightMatrix`` with few rows of activations, at the speed at which the weights can be read.
public enum WeightProduct {
  /// The kernels chosen for this processor: `avx512`, `avx2` or `portable`.
  public static var kernelName: String { String(cString: te_kernel_name()) }

  /// Floats of scratch memory that a product of `rows` rows of `inputs` floats needs.
  public static func scratchCount(rows: Int, inputs: Int, team: WorkerTeam) -> Int {
    max(te_weight_product_scratch(Int32(team.workers), rows, inputs), blasBlock * inputs)
  }

  /// Computes y = x·Wᵀ, or y += x·Wᵀ when `accumulate`, with x `rows × W.columns` and y `rows × W.rows`, row-major.
  ///
  /// A row's result depends on neither the other rows nor the number of workers: every sum runs in an order set by
  /// the instruction set, the precision and the number of columns alone.
  ///
  /// - Complexity: O(rows · W.rows · W.columns); up to some eight rows limited by reading W once, beyond by arithmetic.
  public static func multiply(
    _ weights: WeightMatrix, _ x: FloatBuffer, rows: Int, into y: FloatBuffer,
    accumulate: Bool = false, team: WorkerTeam, scratch: FloatBuffer
  ) {
    check(weights, x, rows, y, team, scratch)
    team.exclusively {
      te_weight_product(
        team.handle, weights.kernelWeights, x.pointer, rows, y.pointer,
        accumulate ? 1 : 0, scratch.pointer)
    }
  }

  /// Computes y = silu(x·Aᵀ) ⊙ (x·Bᵀ), the gated half of a SwiGLU layer, in one pass over A and B.
  ///
  /// - Precondition: `a` and `b` have the same shape and precision.
  public static func gated(
    _ a: WeightMatrix, _ b: WeightMatrix, _ x: FloatBuffer, rows: Int, into y: FloatBuffer,
    team: WorkerTeam, scratch: FloatBuffer
  ) {
    precondition(
      a.rows == b.rows && a.columns == b.columns && a.precision == b.precision, "alike matrices")
    check(a, x, rows, y, team, scratch)
    team.exclusively {
      te_gated_weight_product(
        team.handle, a.kernelWeights, b.kernelWeights, x.pointer, rows,
        y.pointer, scratch.pointer)
    }
  }

  /// The same as ``multiply(_:_:rows:into:accumulate:team:scratch:)`` by OpenBLAS, for many rows; sums in its own order.
  public static func multiplyByBLAS(
    _ weights: WeightMatrix, _ x: FloatBuffer, rows: Int, into y: FloatBuffer,
    accumulate: Bool = false, team: WorkerTeam, scratch: FloatBuffer
  ) {
    check(weights, x, rows, y, team, scratch)
    let block = weights.floatElements == nil ? blasBlock : weights.rows
    for first in stride(from: 0, to: weights.rows, by: block) {
      let count = min(block, weights.rows - first)
      let elements: UnsafePointer<Float>
      if let floats = weights.floatElements {
        elements = floats
      } else {
        weights.widen(
          from: first * weights.columns, count: count * weights.columns, to: scratch.pointer)
        elements = UnsafePointer(scratch.pointer)
      }
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(count),
        blasint(weights.columns), 1, x.pointer, blasint(weights.columns), elements,
        blasint(weights.columns), accumulate ? 1 : 0, y.pointer + first, blasint(weights.rows))
    }
  }

  /// Rows of bf16 weights that are widened for one BLAS call.
  private static let blasBlock = 256

  private static func check(
    _ weights: WeightMatrix, _ x: FloatBuffer, _ rows: Int, _ y: FloatBuffer, _ team: WorkerTeam,
    _ scratch: FloatBuffer
  ) {
    precondition(
      rows >= 0 && rows * weights.columns <= x.count && rows * weights.rows <= y.count
        && scratchCount(rows: rows, inputs: weights.columns, team: team) <= scratch.count,
      "buffers large enough for \(rows) rows")
  }
}
