import Foundation
import LinearAlgebra

/// Floats at a fixed address, aligned to cache lines, zero at first: activations and caches that kernels write to.
///
/// A class, because it is memory with an identity; whoever shares one between threads sees to it that nobody reads
/// what another writes.
public final class FloatBuffer: @unchecked Sendable {
  /// The number of floats.
  public let count: Int
  let pointer: UnsafeMutablePointer<Float>
  private let raw: UnsafeMutableRawPointer

  /// Makes a buffer of `count` zeros.
  public init(count: Int) {
    self.count = count
    // Fresh pages from calloc are zero and cost nothing before they are touched.
    guard let memory = calloc(count * 4 + 64, 1) else {
      preconditionFailure("no memory for a buffer of \(count) floats")
    }
    raw = memory
    Self.adviseLargePages(memory, byteCount: count * 4)
    pointer =
      UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: memory) + 63) & ~63)
      .map { $0.bindMemory(to: Float.self, capacity: count) }
      ?? memory.bindMemory(to: Float.self, capacity: count)
  }

  /// Asks for pages of two megabytes where the buffer holds several: fewer look-ups of addresses, and fewer faults.
  private static func adviseLargePages(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
    #if os(Linux)
      let page: UInt = 1 << 21
      let first = (UInt(bitPattern: memory) + page - 1) & ~(page - 1)
      let end = (UInt(bitPattern: memory) + UInt(byteCount)) & ~(page - 1)
      guard end > first, let start = UnsafeMutableRawPointer(bitPattern: first) else { return }
      // Only advice: where it is not taken, everything works as before.
      _ = madvise(start, Int(end - first), MADV_HUGEPAGE)
    #endif
  }

  /// Makes a buffer that holds a copy of `values`.
  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    write(values, at: 0)
  }

  deinit { free(raw) }

  /// The floats in `range`.
  public subscript(range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "inside the buffer")
    return Array(UnsafeBufferPointer(start: pointer + range.lowerBound, count: range.count))
  }

  /// Copies `values` to the place `offset` and after.
  public func write(_ values: [Float], at offset: Int) {
    precondition(offset >= 0 && offset + values.count <= count, "inside the buffer")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress {
        (pointer + offset).update(from: base, count: source.count)
      }
    }
  }

  /// Copies `range` of another buffer to the place `offset` and after; the two do not overlap.
  public func copy(_ range: Range<Int>, of other: FloatBuffer, to offset: Int) {
    check(range, of: other, offset)
    (pointer + offset).update(from: other.pointer + range.lowerBound, count: range.count)
  }

  /// Adds `range` of another buffer to the floats from `offset` on.
  public func add(_ range: Range<Int>, of other: FloatBuffer, to offset: Int) {
    check(range, of: other, offset)
    let (target, source) = (pointer + offset, other.pointer + range.lowerBound)
    for i in 0..<range.count { target[i] += source[i] }
  }

  private func check(_ range: Range<Int>, of other: FloatBuffer, _ offset: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= other.count && offset >= 0
        && offset + range.count <= count, "inside both buffers")
  }

  /// Sets all floats to zero.
  public func clear() { pointer.update(repeating: 0, count: count) }
}
