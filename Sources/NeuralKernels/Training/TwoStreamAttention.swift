import CKernels
import COpenBLAS
import LinearAlgebra

/// Attention over two streams of one sequence, forward and backward, on the calling thread: what is known, and a query for
/// every token that is to be predicted from it. (Zhang et al., "Locality-aware Parallel Decoding", 2025, section 3.2.)
///
/// Rows are first the known ones, of which each sees a prefix of them, and then the queries, of which each sees a prefix of
/// the known rows and a run of queries: those predicted together with it. As in ``TrainingAttention`` weights are never kept.
public struct TwoStreamAttention: Sendable {
  /// What each row of one sequence sees.
  public struct Mask: Hashable, Sendable {
    /// For every known row how many of them it sees.
    let known: [Int32]
    /// For every query how many of the known rows it sees.
    let prefixes: [Int]
    /// For every query the queries it sees, itself among them.
    let runs: [Range<Int>]

    /// The rows of the sequence: known ones and queries.
    public var rowCount: Int { known.count + prefixes.count }

    /// Makes the mask of groups that are predicted one after the other.
    ///
    /// Known row 0 is what is given before the first group; then come the members of all groups but the last. A member sees
    /// what was given and the members of its group and of those before; a query sees what was given, the members of the groups
    /// before its own, and the queries of its group.
    ///
    /// - Precondition: there is a group, and none is empty.
    public init(groupSizes: [Int]) {
      precondition(!groupSizes.isEmpty && groupSizes.allSatisfy { $0 > 0 }, "groups with members")
      var known: [Int32] = [1]
      var prefixes: [Int] = []
      var runs: [Range<Int>] = []
      var first = 0
      for (index, size) in groupSizes.enumerated() {
        prefixes += repeatElement(first + 1, count: size)
        runs += repeatElement(first..<first + size, count: size)
        first += size
        if index + 1 < groupSizes.count {
          known += repeatElement(Int32(first + 1), count: size)
        }
      }
      (self.known, self.prefixes, self.runs) = (known, prefixes, runs)
    }
  }

  /// The number of heads.
  public let heads: Int
  /// The width of a head.
  public let headWidth: Int
  /// The most rows of a sequence.
  public let mostRows: Int

  /// Rows of scores that are computed together.
  private static let block = 64

  /// Binds the extents.
  public init(heads: Int, headWidth: Int, mostRows: Int) {
    (self.heads, self.headWidth, self.mostRows) = (heads, headWidth, mostRows)
  }

  /// The floats of scratch memory that both directions need.
  public var scratchCount: Int { 2 * Self.block * mostRows }

  private var width: Int { heads * headWidth }
  private var scale: Float { 1 / Float(headWidth).squareRoot() }

  /// Some rows of one head and the columns that any of them sees: the first known rows, and a run of queries.
  private struct Block {
    let rows: Range<Int>
    let prefix: Int
    /// As rows of the sequence.
    let run: Range<Int>
    let visible: [Int32]
    /// Where rows see less of the prefix or of the run than the block has.
    let isRagged: Bool

    var columns: Int { prefix + run.count }
  }

  private func blocks(of mask: Mask, queriesOnly: Bool) -> [Block] {
    let known = mask.known.count
    let first = stride(from: 0, to: queriesOnly ? 0 : known, by: Self.block).map { start in
      let rows = start..<min(start + Self.block, known)
      return Block(
        rows: rows, prefix: Int(mask.known[rows.upperBound - 1]), run: 0..<0,
        visible: Array(mask.known[rows]), isRagged: false)
    }
    let second = stride(from: 0, to: mask.prefixes.count, by: Self.block).map { start in
      let end = min(start + Self.block, mask.prefixes.count)
      let run = mask.runs[start].lowerBound..<mask.runs[end - 1].upperBound
      let prefix = mask.prefixes[end - 1]
      return Block(
        rows: known + start..<known + end, prefix: prefix,
        run: known + run.lowerBound..<known + run.upperBound,
        visible: Array(repeating: Int32(prefix + run.count), count: end - start),
        isRagged: mask.runs[start] != mask.runs[end - 1])
    }
    return first + second
  }

  /// Takes from every row of scores what it does not see.
  private func hide(_ block: Block, _ mask: Mask, _ scores: UnsafeMutablePointer<Float>) {
    guard block.isRagged else { return }
    let known = mask.known.count
    for (index, row) in block.rows.enumerated() {
      let line = scores + index * block.columns
      let own = mask.runs[row - known]
      let seen =
        block.prefix + known + own.lowerBound - block.run.lowerBound..<block.prefix + known
        + own.upperBound - block.run.lowerBound
      for column in mask.prefixes[row - known]..<seen.lowerBound { line[column] = -.infinity }
      for column in seen.upperBound..<block.columns { line[column] = -.infinity }
    }
  }

  /// The result for one sequence, rows × width.
  ///
  /// - Parameters:
  ///   - qkv: rows × 3·width: query, key and value, each head-major.
  ///   - logs: heads × rows floats, which the backward pass needs.
  ///   - queriesOnly: leave known rows out; their results and logs are not written.
  public func forward(
    qkv: FloatView, mask: Mask, logs: FloatView, scratch: FloatView, queriesOnly: Bool = false,
    into out: FloatView
  ) {
    check(qkv, mask, logs, scratch, out)
    let rowCount = mask.rowCount
    let scores = scratch.pointer
    let blocks = blocks(of: mask, queriesOnly: queriesOnly)
    for head in 0..<heads {
      let q = qkv.pointer + head * headWidth
      let (k, v) = (q + width, q + 2 * width)
      for block in blocks {
        let first = block.rows.lowerBound
        let result = out.pointer + first * width + head * headWidth
        score(block, q, 3 * width, against: k, into: scores)
        hide(block, mask, scores)
        te_train_attention_weights(
          scores, block.rows.count, block.columns, block.columns, block.visible, scale,
          logs.pointer + head * rowCount + first)
        product(
          scores, block.columns, v, block.rows.count, headWidth, block.prefix,
          into: result, width, adds: false)
        if !block.run.isEmpty {
          product(
            scores + block.prefix, block.columns, v + block.run.lowerBound * 3 * width,
            block.rows.count, headWidth, block.run.count, into: result, width,
            adds: true)
        }
      }
    }
  }

  /// The gradient of `qkv` from that of the result.
  ///
  /// - Parameters:
  ///   - out: the forward pass's result.
  ///   - queriesOnly: as in the forward pass; the results of known rows and their gradient are not read.
  ///   - dqkv: rows × 3·width; every float is written.
  public func backward(
    qkv: FloatView, mask: Mask, logs: FloatView, out: FloatView, dout: FloatView,
    scratch: FloatView, queriesOnly: Bool = false, into dqkv: FloatView
  ) {
    check(qkv, mask, logs, scratch, out)
    check(dqkv, mask, logs, scratch, dout)
    let rowCount = mask.rowCount
    dqkv[0..<rowCount * 3 * width].clear()
    let weights = scratch.pointer
    let dweights = weights + Self.block * mostRows
    let blocks = blocks(of: mask, queriesOnly: queriesOnly)
    for head in 0..<heads {
      let q = qkv.pointer + head * headWidth
      let (k, v) = (q + width, q + 2 * width)
      let dq = dqkv.pointer + head * headWidth
      let (dk, dv) = (dq + width, dq + 2 * width)
      for block in blocks {
        let (first, rows, columns) = (block.rows.lowerBound, block.rows.count, block.columns)
        let place = first * width + head * headWidth
        let (o, g) = (out.pointer + place, dout.pointer + place)
        score(block, q, 3 * width, against: k, into: weights)
        hide(block, mask, weights)
        score(block, dout.pointer + head * headWidth, width, against: v, into: dweights)
        te_train_attention_weights_backward(
          weights, dweights, rows, columns, columns, block.visible, scale,
          logs.pointer + head * rowCount + first, o, g, headWidth, width)
        for (part, column) in [(0..<block.prefix, 0), (block.run, block.prefix)]
        where !part.isEmpty {
          let offset = part.lowerBound * 3 * width
          product(
            dweights + column, columns, k + offset, rows, headWidth,
            part.count, into: dq + first * 3 * width, 3 * width, adds: true)
          addTransposed(
            dweights + column, columns, q + first * 3 * width, 3 * width, part.count, rows,
            to: dk + offset)
          addTransposed(weights + column, columns, g, width, part.count, rows, to: dv + offset)
        }
      }
    }
  }

  /// Products of a block's rows of `a`, `stride` apart, with the rows of `b` that stand for its columns, 3·width apart.
  private func score(
    _ block: Block, _ a: UnsafePointer<Float>, _ stride: Int, against b: UnsafePointer<Float>,
    into scores: UnsafeMutablePointer<Float>
  ) {
    let rows = a + block.rows.lowerBound * stride
    for (part, column) in [(0..<block.prefix, 0), (block.run, block.prefix)] where !part.isEmpty {
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(block.rows.count), blasint(part.count),
        blasint(headWidth), 1, rows, blasint(stride), b + part.lowerBound * 3 * width,
        blasint(3 * width), 0, scores + column, blasint(block.columns))
    }
  }

  /// c = a·b, or c += a·b, with rows of b 3·width apart.
  private func product(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>,
    _ rows: Int, _ columns: Int, _ inner: Int, into c: UnsafeMutablePointer<Float>,
    _ cStride: Int, adds: Bool
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows),
      blasint(columns), blasint(inner), 1, a, blasint(aStride), b, blasint(3 * width),
      adds ? 1 : 0, c, blasint(cStride))
  }

  /// Rows of the gradient of keys or values: += aᵀ·b.
  private func addTransposed(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ rows: Int, _ inner: Int, to c: UnsafeMutablePointer<Float>
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(rows), blasint(headWidth), blasint(inner),
      1, a, blasint(aStride), b, blasint(bStride), 1, c, blasint(3 * width))
  }

  private func check(
    _ qkv: FloatView, _ mask: Mask, _ logs: FloatView, _ scratch: FloatView, _ out: FloatView
  ) {
    let rows = mask.rowCount
    precondition(
      rows <= mostRows && rows * 3 * width <= qkv.count && heads * rows <= logs.count
        && scratchCount <= scratch.count && rows * width <= out.count,
      "views large enough for the sequence")
  }
}
