/// The class of every image of a dataset.
public struct TokenLabels: Hashable, Sendable {
  /// One label for each image, an index into ``names`` where there are names.
  public var values: [UInt32]
  /// The names of the classes; empty where only numbers are known.
  public var names: [String]

  /// Pairs labels with the names they index.
  public init(values: [UInt32], names: [String] = []) {
    self.values = values
    self.names = names
  }

  /// How many classes there are: the names, or one more than the largest label where there are none.
  public var classCount: Int {
    names.isEmpty ? (values.max().map { Int($0) + 1 } ?? 0) : names.count
  }

  /// The name of the class of an image; the number itself where there are no names.
  public func name(ofImage image: Int) -> String {
    let label = Int(values[image])
    return names.isEmpty ? String(label) : names[label]
  }
}
