/// The numbers of a `.npy` array: kind, width and byte order, as in `<i8` or `>f4`.
public struct NpyType: Hashable, Sendable, CustomStringConvertible {
  /// What the numbers are.
  public enum Kind: Character, Sendable {
    /// Whole numbers with a sign.
    case signedInteger = "i"
    /// Whole numbers without a sign.
    case unsignedInteger = "u"
    /// IEEE 754 numbers.
    case floatingPoint = "f"
  }

  /// What the numbers are.
  public let kind: Kind
  /// The bytes of one number: 1, 2, 4 or 8; at least 2 for floating-point numbers.
  public let byteCount: Int
  /// Whether the most significant byte comes first.
  public let isBigEndian: Bool

  /// Whether the numbers are whole.
  public var isInteger: Bool { kind != .floatingPoint }

  /// numpy's name of the type.
  public var description: String {
    let order = byteCount == 1 ? "|" : isBigEndian ? ">" : "<"
    return "\(order)\(kind.rawValue)\(byteCount)"
  }

  /// A type of numbers.
  init(_ kind: Kind, byteCount: Int, isBigEndian: Bool = false) {
    self.kind = kind
    self.byteCount = byteCount
    self.isBigEndian = isBigEndian
  }

  /// Reads numpy's name; nil for everything that is no number of these kinds.
  init?(_ description: String) {
    var rest = Substring(description)
    switch rest.popFirst() {
    case "<", "|", "=": isBigEndian = false
    case ">": isBigEndian = true
    default: return nil
    }
    guard let letter = rest.popFirst(), let kind = Kind(rawValue: letter) else { return nil }
    switch (kind, rest) {
    case (.signedInteger, "1"), (.unsignedInteger, "1"): byteCount = 1
    case (_, "2"): byteCount = 2
    case (_, "4"): byteCount = 4
    case (_, "8"): byteCount = 8
    default: return nil
    }
    self.kind = kind
  }
}
