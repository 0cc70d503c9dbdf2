import CKernels
import COpenBLAS
import LinearAlgebra

/// Attention with rotary embedding over whole sequences, forward and backward, on the calling thread.
///
/// Every position sees a prefix of the positions, and later ones see no less. Weights are never kept: a block of rows at
/// a time goes through the second-level cache, and the backward pass computes it again from the logarithms of its sums
/// (Dao et al., "FlashAttention", 2022).
public struct TrainingAttention: Sendable {
  /// The number of positions of a sequence.
  public let positions: Int
  /// The number of heads.
  public let heads: Int
  /// The width of a head.
  public let headWidth: Int
  private let visible: [Int32]
  private let rotation: TransformerKernels.Rotation

  /// Rows of scores that are computed together.
  private static let block = 64

  /// Binds the extents to what each position sees and the angles it is turned by.
  ///
  /// - Precondition: `visible` does not decrease and ends with all positions; the table has them all.
  public init(
    heads: Int, headWidth: Int, visible: [Int], rotation: TransformerKernels.Rotation
  ) {
    positions = visible.count
    (self.heads, self.headWidth) = (heads, headWidth)
    self.visible = visible.map { Int32($0) }
    self.rotation = rotation
    precondition(
      visible.first.map { $0 >= 1 } == true && visible.last == positions
        && zip(visible, visible.dropFirst()).allSatisfy { $0 <= $1 },
      "every position sees a prefix, the last one everything")
    precondition(
      rotation.pairs == headWidth / 2 && rotation.cosines.count >= positions * rotation.pairs,
      "angles for every position")
  }

  /// The floats of scratch memory that both directions need.
  public var scratchCount: Int { 2 * Self.block * positions }

  /// The floats of logarithms that the forward pass leaves for the backward pass of one sequence.
  public var logCount: Int { heads * positions }

  private var width: Int { heads * headWidth }
  private var scale: Float { 1 / Float(headWidth).squareRoot() }

  /// The result for `images` sequences, `images × positions × width`.
  ///
  /// - Parameters:
  ///   - qkv: `images × positions × 3·width`; its queries and keys are rotated in place.
  ///   - logs: ``logCount`` floats for each image.
  public func forward(
    qkv: FloatView, images: Int, logs: FloatView, scratch: FloatView, into out: FloatView
  ) {
    check(qkv, images, logs, scratch, out)
    for image in 0..<images {
      let base = qkv.pointer + image * positions * 3 * width
      te_train_rotate(
        base, positions, width, headWidth, rotation.cosines.pointer, rotation.sines.pointer, 1)
      for head in 0..<heads {
        let q = base + head * headWidth
        let (k, v) = (q + width, q + 2 * width)
        let result = out.pointer + image * positions * width + head * headWidth
        let log = logs.pointer + (image * heads + head) * positions
        for first in stride(from: 0, to: positions, by: Self.block) {
          let rows = min(Self.block, positions - first)
          let columns = Int(visible[first + rows - 1])
          product(
            q + first * 3 * width, 3 * width, k, 3 * width, transposed: true, rows, columns,
            headWidth, into: scratch.pointer, columns)
          visible.withUnsafeBufferPointer { visible in
            te_train_attention_weights(
              scratch.pointer, rows, columns, columns, visible.baseAddress.map { $0 + first },
              scale, log + first)
          }
          product(
            scratch.pointer, columns, v, 3 * width, transposed: false, rows, headWidth, columns,
            into: result + first * width, width)
        }
      }
    }
  }

  /// The gradient of `qkv` from that of the result.
  ///
  /// - Parameters:
  ///   - qkv: as the forward pass left it.
  ///   - out: the forward pass's result.
  ///   - dqkv: `images × positions × 3·width`; every float is written.
  public func backward(
    qkv: FloatView, images: Int, logs: FloatView, out: FloatView, dout: FloatView,
    scratch: FloatView, into dqkv: FloatView
  ) {
    check(qkv, images, logs, scratch, out)
    check(dqkv, images, logs, scratch, dout)
    for image in 0..<images {
      let offset = image * positions * 3 * width
      for head in 0..<heads {
        let q = qkv.pointer + offset + head * headWidth
        let (k, v) = (q + width, q + 2 * width)
        let dq = dqkv.pointer + offset + head * headWidth
        let (dk, dv) = (dq + width, dq + 2 * width)
        let place = image * positions * width + head * headWidth
        let (o, g) = (out.pointer + place, dout.pointer + place)
        let log = logs.pointer + (image * heads + head) * positions
        // From the last block, which sees every key: it sets the gradients of all keys and values, others add.
        let starts = stride(from: 0, to: positions, by: Self.block)
        for first in starts.reversed() {
          let rows = min(Self.block, positions - first)
          let columns = Int(visible[first + rows - 1])
          let isFirst = first + Self.block >= positions
          let weights = scratch.pointer
          let dweights = weights + Self.block * positions
          product(
            q + first * 3 * width, 3 * width, k, 3 * width, transposed: true, rows, columns,
            headWidth, into: weights, columns)
          product(
            g + first * width, width, v, 3 * width, transposed: true, rows, columns, headWidth,
            into: dweights, columns)
          visible.withUnsafeBufferPointer { visible in
            te_train_attention_weights_backward(
              weights, dweights, rows, columns, columns, visible.baseAddress.map { $0 + first },
              scale, log + first, o + first * width, g + first * width, headWidth, width)
          }
          product(
            dweights, columns, k, 3 * width, transposed: false, rows, headWidth, columns,
            into: dq + first * 3 * width, 3 * width)
          addTransposed(
            dweights, columns, q + first * 3 * width, 3 * width, columns, headWidth, rows,
            to: dk, isFirst: isFirst)
          addTransposed(
            weights, columns, g + first * width, width, columns, headWidth, rows, to: dv,
            isFirst: isFirst)
        }
      }
      te_train_rotate(
        dqkv.pointer + offset, positions, width, headWidth, rotation.cosines.pointer,
        rotation.sines.pointer, -1)
    }
  }

  /// c = a·b or a·bᵀ, rows × columns.
  private func product(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    transposed: Bool, _ rows: Int, _ columns: Int, _ inner: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, blasint(rows),
      blasint(columns), blasint(inner), 1, a, blasint(aStride), b, blasint(bStride), 0, c,
      blasint(cStride))
  }

  /// Rows of the gradient of keys or values: += aᵀ·b, or = aᵀ·b for the first.
  private func addTransposed(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ rows: Int, _ columns: Int, _ inner: Int, to c: UnsafeMutablePointer<Float>, isFirst: Bool
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows), blasint(columns), blasint(inner), 1,
      a, blasint(aStride), b, blasint(bStride), isFirst ? 0 : 1, c, blasint(3 * width))
  }

  private func check(
    _ qkv: FloatView, _ images: Int, _ logs: FloatView, _ scratch: FloatView, _ out: FloatView
  ) {
    precondition(
      images * positions * 3 * width <= qkv.count && images * logCount <= logs.count
        && scratchCount <= scratch.count && images * positions * width <= out.count,
      "views large enough for \(images) images")
  }
}
