import CKernels
import LinearAlgebra

/// Keys and values of all positions seen so far, of every layer and of `slots` sequences.
///
/// Keys lie in blocks of sixteen positions, coordinate by coordinate, so that scores come out in whole vectors.
public final class AttentionCache: Sendable {
  /// The number of sequences.
  public let slots: Int
  /// The number of positions there is room for.
  public let capacity: Int
  let heads: Int
  let headWidth: Int
  private let keys: [FloatBuffer]
  private let values: [FloatBuffer]

  /// Makes an empty cache.
  public init(layers: Int, slots: Int, capacity: Int, heads: Int, headWidth: Int) {
    (self.slots, self.capacity, self.heads, self.headWidth) = (slots, capacity, heads, headWidth)
    let keyCount = slots * heads * te_key_floats(capacity, headWidth)
    let valueCount = slots * heads * te_value_floats(capacity, headWidth)
    keys = (0..<layers).map { _ in FloatBuffer(count: keyCount) }
    values = (0..<layers).map { _ in FloatBuffer(count: valueCount) }
  }

  /// The bytes a cache of these extents occupies: a floating-point number, since one that is too large for memory may be too
  /// large for an `Int`.
  public static func byteCount(
    layers: Int, slots: Int, capacity: Int, heads: Int, headWidth: Int
  ) -> Double {
    4 * Double(layers) * Double(slots) * Double(heads)
      * Double(te_key_floats(capacity, headWidth) + te_value_floats(capacity, headWidth))
  }

  /// Floats of scratch memory that ``attend(layer:qkv:slots:positions:rotation:visible:into:team:scratch:)`` needs.
  public func scratchCount(rows: Int, team: WorkerTeam) -> Int {
    te_attention_scratch(Int32(team.workers), rows, capacity, headWidth)
  }

  /// Attention of one layer for new positions of the first `slots` sequences.
  ///
  /// Queries and keys are rotated, keys and values put into the cache, and each new position attends to the first
  /// `visible` positions of its sequence.
  ///
  /// - Parameters:
  ///   - qkv: `slots × positions × 3·heads·headWidth`: query, key and value, each head-major.
  ///   - positions: which positions are new; they follow those in the cache.
  ///   - rotation: the angles of all positions of the sequence.
  ///   - visible: for each new position, how many positions from the start it sees.
  ///   - out: `slots × positions × heads·headWidth`.
  public func attend(
    layer: Int, qkv: FloatBuffer, slots: Int, positions: Range<Int>,
    rotation: TransformerKernels.Rotation, visible: [Int32], into out: FloatBuffer,
    team: WorkerTeam, scratch: FloatBuffer
  ) {
    let rows = positions.count
    let width = heads * headWidth
    precondition(slots <= self.slots && positions.upperBound <= capacity, "room in the cache")
    precondition(
      slots * rows * 3 * width <= qkv.count && slots * rows * width <= out.count
        && scratchCount(rows: rows, team: team) <= scratch.count && rotation.pairs == headWidth / 2
        && positions.upperBound * rotation.pairs <= rotation.cosines.count, "buffers large enough")
    precondition(
      visible.count == rows && visible.allSatisfy { $0 >= 1 && $0 <= positions.upperBound },
      "every position sees at least one that is in the cache")
    visible.withUnsafeBufferPointer { visible in
      var job = te_attention_job(
        qkv: qkv.pointer, cosines: rotation.cosines.pointer + positions.lowerBound * rotation.pairs,
        sines: rotation.sines.pointer + positions.lowerBound * rotation.pairs,
        visible: visible.baseAddress, keys: keys[layer].pointer, values: values[layer].pointer,
        out: out.pointer, scratch: scratch.pointer, slots: slots, rows: rows, heads: heads,
        head_width: headWidth, first: positions.lowerBound, capacity: capacity)
      team.exclusively { te_attention(team.handle, &job) }
    }
  }
}
