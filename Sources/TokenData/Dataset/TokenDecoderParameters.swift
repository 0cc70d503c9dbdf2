/// What a tokenizer needs to turn tokens back into images: the group `/decoder` of the file.
///
/// The meaning of the arrays belongs to the tokenizer named by ``kind``; the store only keeps them.
public struct TokenDecoderParameters: Hashable, Sendable {
  /// An array of numbers with its extents, row-major.
  public struct Parameter: Hashable, Sendable {
    /// The extents; their product is the number of values.
    public var shape: [Int]
    /// The values, row-major.
    public var values: [Float]

    /// Pairs values with their extents.
    ///
    /// - Precondition: the product of the extents is the number of values.
    public init(shape: [Int], values: [Float]) {
      precondition(shape.reduce(1, *) == values.count, "the extents multiply to the count")
      self.shape = shape
      self.values = values
    }
  }

  /// The tokenizer that understands the arrays, as in `patch-pca`.
  public var kind: String
  /// The arrays by name.
  public var arrays: [String: Parameter]

  /// Collects arrays for a tokenizer.
  public init(kind: String, arrays: [String: Parameter]) {
    self.kind = kind
    self.arrays = arrays
  }
}
