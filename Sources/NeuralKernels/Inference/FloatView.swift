import LinearAlgebra

/// A run of floats within a ``FloatBuffer``: one tensor of an allocation that holds many.
///
/// A value that refers to memory; whoever writes through one sees to it that nobody else reads there meanwhile.
public struct FloatView: Sendable {
  /// The memory the floats lie in, kept alive by the view.
  public let buffer: FloatBuffer
  /// Where they begin.
  public let offset: Int
  /// How many they are.
  public let count: Int

  var pointer: UnsafeMutablePointer<Float> { buffer.pointer + offset }

  /// The floats from `offset` on.
  ///
  /// - Precondition: they lie within the buffer.
  public init(_ buffer: FloatBuffer, offset: Int = 0, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset + count <= buffer.count, "inside the buffer")
    self.buffer = buffer
    self.offset = offset
    self.count = count
  }

  /// The whole buffer.
  public init(_ buffer: FloatBuffer) { self.init(buffer, count: buffer.count) }

  /// A part of the view.
  ///
  /// - Precondition: the range lies within the view.
  public subscript(range: Range<Int>) -> FloatView {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "inside the view")
    return FloatView(buffer, offset: offset + range.lowerBound, count: range.count)
  }

  /// A copy of the floats.
  public var values: [Float] { buffer[offset..<offset + count] }

  /// Sets all floats to zero.
  public func clear() { pointer.update(repeating: 0, count: count) }

  /// Copies `range` of another view, which may overlap this one, to the place `offset` and after.
  ///
  /// - Precondition: both lie within their views.
  public func copy(_ range: Range<Int>, of other: FloatView, to offset: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= other.count && offset >= 0
        && offset + range.count <= count, "inside both views")
    (pointer + offset).update(from: other.pointer + range.lowerBound, count: range.count)
  }

  /// Replaces the floats.
  ///
  /// - Precondition: there are as many.
  public func write(_ values: [Float]) {
    precondition(values.count == count, "as many floats as the view has")
    buffer.write(values, at: offset)
  }
}
