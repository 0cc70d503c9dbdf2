/// Named tensors of a checkpoint, whatever file they are in.
public protocol TensorSource: Sendable {
  /// The path as the user typed it.
  var path: String { get }
  /// The names of all tensors, sorted.
  var tensorNames: [String] { get }
  /// The extents of a tensor, outermost first; nil where there is no such tensor.
  func shape(of name: String) -> [Int]?
  /// The numbers of a floating-point tensor, row-major.
  ///
  /// - Throws: an error that names the file and the tensor.
  func floats(_ name: String) throws -> [Float]
}

extension SafetensorsCheckpoint: TensorSource {
  /// The extents of a tensor, outermost first; nil where there is no such tensor.
  public func shape(of name: String) -> [Int]? {
    try? file(of: name).entry(name).shape
  }

  /// The numbers of a floating-point tensor, row-major.
  ///
  /// - Throws: ``SafetensorsError``.
  public func floats(_ name: String) throws -> [Float] {
    try file(of: name).floats(name)
  }
}
