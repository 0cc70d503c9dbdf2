import COpenBLAS

/// A network with one hidden layer that predicts each block of coordinates from any prefix of the blocks before it, for all
/// prefixes at the cost of one: the hidden layer sees the blocks of the prefix and the mask of which blocks those are, and
/// each block it comes to see is added to its sum (the neural autoregressive estimator of Larochelle and Murray, 2011).
///
/// h_t = relu(b + Σ_{j<t} (W_jᵀx_j + m_j)). Block t is predicted from h_t by one readout, and by a second one from the
/// hidden layer at the start of its group, which has not seen the blocks of the group before it. A group's first block has
/// the first readout only: both prefixes are the same.
public struct PrefixNetwork: Sendable {
  /// n, the blocks.
  public let blocks: Int
  /// d, the coordinates of a block.
  public let blockSize: Int
  /// The hidden units.
  public let hidden: Int
  /// The groups of blocks, in order; they cover all blocks.
  public let groups: [Range<Int>]
  /// Whether the first readout is wanted for blocks that are not the first of their group.
  public let readsEveryPrefix: Bool
  /// b, m, W, then weights and offsets of the first readout, then of the second.
  public var parameters: [Float]

  /// Makes a network with the given parameters: see ``parameterCount(blocks:blockSize:hidden:)``.
  public init(
    blockSize: Int, hidden: Int, groups: [Range<Int>], readsEveryPrefix: Bool, parameters: [Float]
  ) {
    blocks = groups.last?.upperBound ?? 0
    self.blockSize = blockSize
    self.hidden = hidden
    self.groups = groups
    self.readsEveryPrefix = readsEveryPrefix
    self.parameters = parameters
    precondition(
      parameters.count
        == Self.parameterCount(blocks: blocks, blockSize: blockSize, hidden: hidden),
      "a network has all its parameters")
  }

  /// How many parameters a network has.
  public static func parameterCount(blocks n: Int, blockSize d: Int, hidden h: Int) -> Int {
    h + n * h + 3 * n * d * h + 2 * n * d
  }

  /// The places of the parameters.
  private struct Layout {
    let mask, input, first, firstOffset, second, secondOffset: Int

    init(_ n: Int, _ d: Int, _ h: Int) {
      mask = h
      input = mask + n * h
      first = input + n * d * h
      firstOffset = first + n * d * h
      second = firstOffset + n * d
      secondOffset = second + n * d * h
    }
  }

  /// Where the input weights W stand among the parameters.
  public var inputWeights: Range<Int> {
    let layout = Layout(blocks, blockSize, hidden)
    return layout.input..<layout.first
  }

  /// The residuals prediction − x of both readouts for a batch of rows.
  ///
  /// - Parameter rows: batch × (n·d), row-major.
  /// - Returns: Two matrices of the same shape; in the second the first block of a group repeats the first readout. With
  ///   ``readsEveryPrefix`` false the first readout of other blocks is 0.
  /// - Complexity: O(batch · n · d · hidden).
  public func residuals(ofRows rows: SingleMatrix) -> (first: SingleMatrix, second: SingleMatrix) {
    var (first, second) = (
      SingleMatrix(rows: rows.rows, columns: rows.columns),
      SingleMatrix(rows: rows.rows, columns: rows.columns)
    )
    first.elements.withUnsafeMutableBufferPointer { first in
      second.elements.withUnsafeMutableBufferPointer { second in
        pass(rows, weights: nil, gradient: nil, residuals: (first.baseAddress, second.baseAddress))
      }
    }
    return (first, second)
  }

  /// The gradient of ½·Σ λ·residual²/batch, summed over both readouts, by parameter.
  ///
  /// - Parameters:
  ///   - rows: batch × (n·d).
  ///   - weights: λ of each coordinate's first readout, then of each one's second.
  /// - Complexity: O(batch · n · d · hidden).
  public func gradient(ofRows rows: SingleMatrix, weights: [Float]) -> [Float] {
    var gradient = [Float](repeating: 0, count: parameters.count)
    gradient.withUnsafeMutableBufferPointer { gradient in
      pass(rows, weights: weights, gradient: gradient.baseAddress, residuals: (nil, nil))
    }
    return gradient
  }

  /// Goes from the longest prefix to the empty one: the hidden sum of all blocks is one product, from which each block is
  /// taken off again in turn. Gradients flow the same way: what block t contributes reaches all longer prefixes.
  private func pass(
    _ rows: SingleMatrix, weights: [Float]?, gradient: UnsafeMutablePointer<Float>?,
    residuals: (UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?)
  ) {
    let (n, d, units, batch) = (blocks, blockSize, hidden, rows.rows)
    precondition(rows.columns == n * d, "a row has all blocks")
    guard batch > 0 else { return }
    let layout = Layout(n, d, units)
    let size = batch * units
    let widest = groups.map(\.count).max() ?? 1
    var sums = [Float](repeating: 0, count: size)
    var active = sums, later = sums, flow = sums
    var error = [Float](repeating: 0, count: batch * widest * d)
    parameters.withUnsafeBufferPointer { parameters in
      rows.elements.withUnsafeBufferPointer { x in
        sums.withUnsafeMutableBufferPointer { sums in
          active.withUnsafeMutableBufferPointer { active in
            later.withUnsafeMutableBufferPointer { later in
              flow.withUnsafeMutableBufferPointer { flow in
                error.withUnsafeMutableBufferPointer { error in
                  guard let p = parameters.baseAddress, let x = x.baseAddress,
                    let sums = sums.baseAddress, let active = active.baseAddress,
                    let later = later.baseAddress, let flow = flow.baseAddress,
                    let error = error.baseAddress
                  else { return }

                  /// Reads blocks out of `active` and sends what is wrong back into `later`.
                  func read(
                    _ range: Range<Int>, weight: Int, offset: Int, lambda: Int,
                    into target: UnsafeMutablePointer<Float>?
                  ) {
                    let width = range.count * d
                    let (w, o) = (
                      weight + range.lowerBound * d * units, offset + range.lowerBound * d
                    )
                    cblas_sgemm(
                      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(batch), Int32(width),
                      Int32(units), 1, active, Int32(units), p + w, Int32(units), 0, error,
                      Int32(width))
                    for i in 0..<batch {
                      let row = x + i * n * d + range.lowerBound * d
                      for c in 0..<width { error[i * width + c] += p[o + c] - row[c] }
                      if let target {
                        (target + i * n * d + range.lowerBound * d).update(
                          from: error + i * width, count: width)
                      }
                    }
                    guard let gradient, let weights else { return }
                    for i in 0..<batch {
                      for c in 0..<width {
                        let value =
                          error[i * width + c] * weights[lambda + range.lowerBound * d + c]
                          / Float(batch)
                        error[i * width + c] = value
                        gradient[o + c] += value
                      }
                    }
                    cblas_sgemm(
                      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(width), Int32(units),
                      Int32(batch), 1, error, Int32(width), active, Int32(units), 1, gradient + w,
                      Int32(units))
                    cblas_sgemm(
                      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(batch), Int32(units),
                      Int32(width), 1, error, Int32(width), p + w, Int32(units), 0, flow,
                      Int32(units))
                    for i in 0..<size { later[i] += active[i] > 0 ? flow[i] : 0 }
                  }

                  // b + Σ m, then + x·W.
                  for u in 0..<units {
                    var sum = p[u]
                    for t in 0..<n { sum += p[layout.mask + t * units + u] }
                    for i in 0..<batch { sums[i * units + u] = sum }
                  }
                  cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(batch), Int32(units),
                    Int32(n * d), 1, x, Int32(n * d), p + layout.input, Int32(units), 1, sums,
                    Int32(units))
                  for group in groups.reversed() {
                    for t in group.reversed() {
                      let (w, m) = (layout.input + t * d * units, layout.mask + t * units)
                      if let gradient {
                        cblas_sgemm(
                          CblasRowMajor, CblasTrans, CblasNoTrans, Int32(d), Int32(units),
                          Int32(batch), 1, x + t * d, Int32(n * d), later, Int32(units), 1,
                          gradient + w, Int32(units))
                        for i in 0..<batch {
                          for u in 0..<units { gradient[m + u] += later[i * units + u] }
                        }
                      }
                      cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(batch), Int32(units),
                        Int32(d), -1, x + t * d, Int32(n * d), p + w, Int32(units), 1, sums,
                        Int32(units))
                      for i in 0..<batch {
                        for u in 0..<units { sums[i * units + u] -= p[m + u] }
                      }
                      guard readsEveryPrefix || t == group.lowerBound else { continue }
                      for i in 0..<size { active[i] = max(sums[i], 0) }
                      read(
                        t..<t + 1, weight: layout.first, offset: layout.firstOffset, lambda: 0,
                        into: residuals.0)
                    }
                    if let second = residuals.1, let first = residuals.0 {
                      for i in 0..<batch {
                        let place = i * n * d + group.lowerBound * d
                        (second + place).update(from: first + place, count: d)
                      }
                    }
                    guard group.count > 1 else { continue }
                    read(
                      group.lowerBound + 1..<group.upperBound, weight: layout.second,
                      offset: layout.secondOffset, lambda: n * d, into: residuals.1)
                  }
                  guard let gradient else { return }
                  for i in 0..<batch {
                    for u in 0..<units { gradient[u] += later[i * units + u] }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
