import CKernels
import Foundation
import LinearAlgebra

/// How the elements of a ``WeightMatrix`` are kept.
public enum WeightPrecision: String, CaseIterable, Sendable {
  /// Four bytes an element.
  case float32 = "f32"
  /// The upper two bytes of a Float32.
  case bfloat16 = "bf16"

  /// The bytes of one element.
  public var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// A large, immutable matrix of weights, row-major: each row gives one output from all inputs.
///
/// The elements may lie in a mapped file; the matrix then keeps the file open.
public struct WeightMatrix: @unchecked Sendable {
  /// The number of rows: outputs of ``multiply(_:_:rows:into:accumulate:team:scratch:)``.
  public let rows: Int
  /// The number of columns: inputs.
  public let columns: Int
  /// How the elements are kept.
  public let precision: WeightPrecision
  private let base: UnsafeRawPointer
  private let owner: AnyObject

  /// Makes a matrix over bytes that `owner` keeps alive.
  ///
  /// - Precondition: `bytes` holds `rows · columns` elements, aligned for them.
  public init(
    rows: Int, columns: Int, precision: WeightPrecision, bytes: UnsafeRawBufferPointer,
    owner: AnyObject
  ) {
    precondition(bytes.count == rows * columns * precision.byteCount, "the bytes fill the matrix")
    guard let base = bytes.baseAddress else { preconditionFailure("a weight matrix has elements") }
    precondition(Int(bitPattern: base) % precision.byteCount == 0, "the elements are aligned")
    (self.rows, self.columns, self.precision) = (rows, columns, precision)
    (self.base, self.owner) = (base, owner)
  }

  /// Makes a matrix that owns a copy of `elements`, rounded to `precision`.
  public init(rows: Int, columns: Int, precision: WeightPrecision, elements: [Float]) {
    precondition(elements.count == rows * columns, "the elements fill the matrix")
    let store = Store(rows: rows, columns: columns, precision: precision)
    elements.withUnsafeBufferPointer { store.write($0, at: 0) }
    self.init(rows: rows, columns: columns, precision: precision, bytes: store.bytes, owner: store)
  }

  /// Makes a matrix of independent uniform numbers with mean 0 and the given standard deviation.
  ///
  /// Element i depends on `seed` and i alone, not on the number of workers.
  ///
  /// - Complexity: O(rows · columns), shared by the team.
  public init(
    randomWithRows rows: Int, columns: Int, precision: WeightPrecision, standardDeviation: Float,
    seed: UInt64, team: WorkerTeam
  ) {
    let store = Store(rows: rows, columns: columns, precision: precision)
    // A uniform variable on (−a, a) has the standard deviation a / √3.
    let scale = standardDeviation * Float(3).squareRoot() / Float(1 << 23)
    team.forEach(rows) { row in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { values in
        for column in 0..<columns {
          // The finaliser of SplitMix64.
          var bits = seed &+ UInt64(row * columns + column + 1) &* 0x9e37_79b9_7f4a_7c15
          bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
          bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
          values[column] =
            Float(Int32(truncatingIfNeeded: (bits ^ bits >> 31) >> 40) - 1 << 23) * scale
        }
        store.write(UnsafeBufferPointer(values), at: row * columns)
      }
    }
    self.init(rows: rows, columns: columns, precision: precision, bytes: store.bytes, owner: store)
  }

  /// The elements of one row, as Float32.
  public func row(_ index: Int) -> [Float] {
    precondition((0..<rows).contains(index), "a row of the matrix")
    return [Float](unsafeUninitializedCapacity: columns) { buffer, count in
      widen(from: index * columns, count: columns, to: buffer.baseAddress)
      count = columns
    }
  }

  /// Writes row `index` to `buffer` from `offset` on.
  public func copyRow(_ index: Int, to buffer: FloatBuffer, at offset: Int) {
    precondition((0..<rows).contains(index), "a row of the matrix")
    precondition(offset >= 0 && offset + columns <= buffer.count, "inside the buffer")
    widen(from: index * columns, count: columns, to: buffer.pointer + offset)
  }

  /// The bytes that a product reads.
  public var byteCount: Int { rows * columns * precision.byteCount }

  /// What the C kernels call this matrix.
  var kernelWeights: te_weights {
    te_weights(
      elements: base, precision: precision == .float32 ? TE_FLOAT32 : TE_BFLOAT16, outputs: rows,
      inputs: columns)
  }

  /// Widens `count` elements from the raster place `start` on.
  func widen(from start: Int, count: Int, to target: UnsafeMutablePointer<Float>?) {
    guard let target else { return }
    switch precision {
    case .float32:
      target.update(from: base.assumingMemoryBound(to: Float.self) + start, count: count)
    case .bfloat16:
      te_widen_bfloat16(base.assumingMemoryBound(to: UInt16.self) + start, count, target)
    }
  }

  /// The elements themselves, when they are Float32.
  var floatElements: UnsafePointer<Float>? {
    precision == .float32 ? base.assumingMemoryBound(to: Float.self) : nil
  }

  /// Memory for the elements of one matrix.
  private final class Store: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let memory: UnsafeMutableRawBufferPointer
    private let precision: WeightPrecision

    init(rows: Int, columns: Int, precision: WeightPrecision) {
      self.precision = precision
      let byteCount = rows * columns * precision.byteCount
      let largePage = 1 << 21
      memory = .allocate(byteCount: byteCount, alignment: byteCount < largePage ? 64 : largePage)
      #if os(Linux)
        // Streaming through small pages costs a translation every 4 kB. Advice only: it may be refused.
        if byteCount >= largePage { madvise(memory.baseAddress, byteCount, MADV_HUGEPAGE) }
      #endif
      bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { memory.deallocate() }

    func write(_ values: UnsafeBufferPointer<Float>, at offset: Int) {
      guard let target = memory.baseAddress, let source = values.baseAddress else { return }
      let place = target + offset * precision.byteCount
      switch precision {
      case .float32: place.copyMemory(from: source, byteCount: 4 * values.count)
      case .bfloat16:
        te_narrow_bfloat16(source, values.count, place.assumingMemoryBound(to: UInt16.self))
      }
    }
  }
}
