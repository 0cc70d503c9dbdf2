import COpenBLAS
import LinearAlgebra

/// The three products of a linear layer y = x·Wᵀ in single precision, on memory that is there already.
///
/// They run on as many threads as BLAS is set to: one, when callers divide the rows among themselves.
public enum LinearLayer {
  /// y = x·Wᵀ for `rows` rows: x is rows × inputs, W outputs × inputs, y rows × outputs.
  public static func forward(
    _ x: FloatView, _ weights: FloatView, rows: Int, inputs: Int, outputs: Int, into y: FloatView
  ) {
    precondition(
      rows * inputs <= x.count && outputs * inputs <= weights.count && rows * outputs <= y.count,
      "views of rows × inputs, outputs × inputs and rows × outputs")
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs), blasint(inputs), 1,
      x.pointer, blasint(inputs), weights.pointer, blasint(inputs), 0, y.pointer, blasint(outputs))
  }

  /// dx = dy·W: the gradient that a linear layer passes on to its input.
  public static func backwardToInput(
    _ dy: FloatView, _ weights: FloatView, rows: Int, inputs: Int, outputs: Int,
    into dx: FloatView
  ) {
    precondition(
      rows * outputs <= dy.count && outputs * inputs <= weights.count && rows * inputs <= dx.count,
      "views of rows × outputs, outputs × inputs and rows × inputs")
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(inputs), blasint(outputs),
      1, dy.pointer, blasint(outputs), weights.pointer, blasint(inputs), 0, dx.pointer,
      blasint(inputs))
  }

  /// dW += dyᵀ·x: what the rows add to the gradient of the weights.
  public static func backwardToWeights(
    _ dy: FloatView, _ x: FloatView, rows: Int, inputs: Int, outputs: Int,
    addingTo gradient: FloatView
  ) {
    precondition(
      rows * outputs <= dy.count && rows * inputs <= x.count
        && outputs * inputs <= gradient.count,
      "views of rows × outputs, rows × inputs and outputs × inputs")
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(outputs), blasint(inputs), blasint(rows), 1,
      dy.pointer, blasint(outputs), x.pointer, blasint(inputs), 1, gradient.pointer,
      blasint(inputs))
  }
}
