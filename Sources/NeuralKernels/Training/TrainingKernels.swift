import CKernels
import LinearAlgebra

/// The loops of a transformer's training step between its matrix products, each with its backward loop.
///
/// They run on the calling thread; several threads may run them on rows of their own.
public enum TrainingKernels {
  /// Which elements of a tensor are dropped: a function of two keys and the element's number, so that no mask is stored.
  public struct Dropout: Sendable {
    let kernel: te_dropout
    /// The number of the first element.
    let first: UInt32

    /// Keeps everything.
    public static let none = Dropout(probability: 0, key: 0, first: 0)

    /// Drops each element with a probability, rounded to a multiple of 2⁻³², and divides the others by 1 − probability.
    ///
    /// - Parameters:
    ///   - key: what tells masks apart.
    ///   - first: the number of the tensor's first element; equal numbers under one key share their fate.
    public init(probability: Float, key: UInt64, first: Int) {
      precondition(probability >= 0 && probability < 1, "a probability below 1")
      kernel = te_dropout(
        key1: UInt32(truncatingIfNeeded: key), key2: UInt32(truncatingIfNeeded: key >> 32),
        threshold: UInt32(Double(probability) * 0x1p32),
        scale: probability > 0 ? Float(1 / (1 - Double(probability))) : 1)
      self.first = UInt32(truncatingIfNeeded: first)
    }
  }

  /// out[r] = drop(table[sources[r] …]): rows of `width` floats from anywhere in `table`.
  public static func embed(
    _ table: FloatView, sources: [Int64], width: Int, dropout: Dropout, into out: FloatView
  ) {
    precondition(
      sources.count * width <= out.count
        && sources.allSatisfy { $0 >= 0 && Int($0) + width <= table.count },
      "rows within the table")
    te_train_embed(
      table.pointer, sources, sources.count, width, dropout.kernel, dropout.first, out.pointer)
  }

  /// Adds drop(dx[r]) to gradient[sources[r] …].
  public static func embedBackward(
    _ dx: FloatView, sources: [Int64], width: Int, dropout: Dropout, addingTo gradient: FloatView
  ) {
    precondition(
      sources.count * width <= dx.count
        && sources.allSatisfy { $0 >= 0 && Int($0) + width <= gradient.count },
      "rows within the gradient")
    te_train_embed_backward(
      dx.pointer, sources, sources.count, width, dropout.kernel, dropout.first, gradient.pointer)
  }

  /// sum = x + drop(y) and its RMS norm times a weight; sum = x, not written, without y.
  ///
  /// - Parameter scales: gets 1/√(mean(sum²) + ε) of every row, for the backward loop.
  public static func residualNorm(
    _ x: FloatView, adding y: FloatView?, rows: Int, dropout: Dropout, weight: FloatView,
    epsilon: Float, sum: FloatView, normed: FloatView, scales: FloatView
  ) {
    let count = rows * weight.count
    precondition(
      count <= min(x.count, normed.count) && rows <= scales.count
        && y.map { count <= min($0.count, sum.count) } != false,
      "views of rows × width")
    te_train_residual_norm(
      x.pointer, y?.pointer, rows, weight.count, dropout.kernel, dropout.first, weight.pointer,
      epsilon, sum.pointer, normed.pointer, scales.pointer)
  }

  /// From the gradient of `normed` those of sum (added to `dsum`, or written there), weight (added) and y.
  public static func residualNormBackward(
    sum: FloatView, scales: FloatView, weight: FloatView, dnormed: FloatView, rows: Int,
    dropout: Dropout, accumulates: Bool, dsum: FloatView, dweight: FloatView, dy: FloatView?
  ) {
    let count = rows * weight.count
    precondition(
      count <= min(sum.count, dnormed.count, dsum.count) && rows <= scales.count
        && weight.count <= dweight.count && dy.map { count <= $0.count } != false,
      "views of rows × width")
    te_train_residual_norm_backward(
      sum.pointer, scales.pointer, weight.pointer, dnormed.pointer, rows, weight.count,
      dropout.kernel, dropout.first, accumulates ? 1 : 0, dsum.pointer, dweight.pointer,
      dy?.pointer)
  }

  /// sum = x + drop(y) and its layer norm times a weight plus a bias; sum = x, not written, without y.
  ///
  /// - Parameter moments: gets the mean and 1/√(variance + ε) of every row, for the backward loop.
  public static func residualLayerNorm(
    _ x: FloatView, adding y: FloatView?, rows: Int, dropout: Dropout, weight: FloatView,
    bias: FloatView, epsilon: Float, sum: FloatView, normed: FloatView, moments: FloatView
  ) {
    let count = rows * weight.count
    precondition(
      count <= min(x.count, normed.count) && 2 * rows <= moments.count
        && weight.count == bias.count && y.map { count <= min($0.count, sum.count) } != false,
      "views of rows × width")
    te_train_residual_layer_norm(
      x.pointer, y?.pointer, rows, weight.count, dropout.kernel, dropout.first, weight.pointer,
      bias.pointer, epsilon, sum.pointer, normed.pointer, moments.pointer)
  }

  /// From the gradient of `normed` those of sum (added to `dsum`, or written there), weight and bias (added) and y.
  public static func residualLayerNormBackward(
    sum: FloatView, moments: FloatView, weight: FloatView, dnormed: FloatView, rows: Int,
    dropout: Dropout, accumulates: Bool, dsum: FloatView, dweight: FloatView, dbias: FloatView,
    dy: FloatView?
  ) {
    let count = rows * weight.count
    precondition(
      count <= min(sum.count, dnormed.count, dsum.count) && 2 * rows <= moments.count
        && weight.count <= min(dweight.count, dbias.count)
        && dy.map { count <= $0.count } != false, "views of rows × width")
    te_train_residual_layer_norm_backward(
      sum.pointer, moments.pointer, weight.pointer, dnormed.pointer, rows, weight.count,
      dropout.kernel, dropout.first, accumulates ? 1 : 0, dsum.pointer, dweight.pointer,
      dbias.pointer, dy?.pointer)
  }

  /// Adds a bias to every row of its width.
  public static func addBias(_ bias: FloatView, to x: FloatView, rows: Int) {
    precondition(rows * bias.count <= x.count, "a view of rows × width")
    te_train_add_bias(x.pointer, bias.pointer, rows, bias.count)
  }

  /// Adds the gradients of `rows` rows to that of the bias which was added to them.
  public static func addBiasBackward(_ dx: FloatView, rows: Int, addingTo gradient: FloatView) {
    precondition(rows * gradient.count <= dx.count, "a view of rows × width")
    te_train_add_bias_backward(dx.pointer, rows, gradient.count, gradient.pointer)
  }

  /// out = x·Φ(x), the exact GELU.
  public static func gelu(_ x: FloatView, rows: Int, width: Int, into out: FloatView) {
    precondition(rows * width <= min(x.count, out.count), "views of rows × width")
    te_train_gelu(x.pointer, rows, width, out.pointer)
  }

  /// Puts the gradient of x in place of that of its GELU.
  public static func geluBackward(_ x: FloatView, rows: Int, width: Int, gradient: FloatView) {
    precondition(rows * width <= min(x.count, gradient.count), "views of rows × width")
    te_train_gelu_backward(x.pointer, rows, width, gradient.pointer)
  }

  /// gated = silu(a) ⊙ b, where each row of `hidden` is a and then b, `width` floats each.
  public static func gate(_ hidden: FloatView, rows: Int, width: Int, into gated: FloatView) {
    precondition(
      2 * rows * width <= hidden.count && rows * width <= gated.count, "views of rows × width")
    te_train_gate(hidden.pointer, rows, width, gated.pointer)
  }

  /// Puts the gradients of a and b in their place, and gated again in place of its gradient.
  public static func gateBackward(_ hidden: FloatView, rows: Int, width: Int, gated: FloatView) {
    precondition(
      2 * rows * width <= hidden.count && rows * width <= gated.count, "views of rows × width")
    te_train_gate_backward(hidden.pointer, rows, width, gated.pointer)
  }

  /// The negative log-probability of each row's target, in nats, under softmax(logits).
  ///
  /// - Parameters:
  ///   - logits: `targets.count × codes`; replaced by their gradient for the losses times `weight`, unless that is 0.
  public static func crossEntropy(
    _ logits: FloatView, targets: ArraySlice<Int32>, codes: Int, weight: Float,
    losses: FloatView
  ) {
    precondition(
      targets.count * codes <= logits.count && targets.count <= losses.count
        && targets.allSatisfy { $0 >= 0 && $0 < codes }, "views of rows × codes")
    targets.withUnsafeBufferPointer {
      te_train_cross_entropy(
        logits.pointer, $0.baseAddress, targets.count, codes, weight, losses.pointer)
    }
  }
}
