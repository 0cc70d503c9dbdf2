/// Where an order of a file is: the file, or standard input, and which of its orders is meant.
struct OrderFilePlace: Hashable, Sendable {
  /// The path, `-` for standard input.
  var path: String
  /// Which of several orders, from 0; nil where the user did not say.
  var index: Int?
  /// What the user wrote after the path: `#k`, and settings after a colon.
  var suffix = ""

  /// What the user writes for standard input.
  static let standardInput = "-"

  var isStandardInput: Bool { path == Self.standardInput }

  /// Reads `path`, `path#k`, and either with `:key=value,…` of sequences after it; nil for text that names no file.
  ///
  /// A colon or a number sign that is part of the path itself is left there: settings begin with a key that files have,
  /// and k is a number.
  static func reading(_ text: String) -> (place: OrderFilePlace, settings: String?)? {
    var (path, settings) = (text[...], String?.none)
    if let colon = path.lastIndex(of: ":") {
      let rest = path[path.index(after: colon)...]
      let first = rest.prefix { $0 != "=" && $0 != "," }.filter { !$0.isWhitespace }
      if rest.contains("="), OrderKey.ofFiles.contains(where: { $0.rawValue == first }) {
        (path, settings) = (path[..<colon], String(rest))
      }
    }
    var index: Int?
    if let sign = path.lastIndex(of: "#"), let number = Int(path[path.index(after: sign)...]),
      number >= 0
    {
      (path, index) = (path[..<sign], number)
    }
    guard isPath(path) else { return nil }
    let suffix = text.dropFirst(path.count)
    return (
      OrderFilePlace(path: String(path), index: index, suffix: String(suffix)), settings
    )
  }

  private static func isPath(_ text: Substring) -> Bool {
    let lowercased = text.lowercased()
    return text == standardInput || text.contains("/") || lowercased.hasSuffix(".npy")
      || OrderFileFormat.allCases.contains { format in
        format.extensions.contains { lowercased.hasSuffix("." + $0) }
      }
  }

  /// The last components of the path, at most so many, and the suffix.
  func name(components: Int) -> String {
    if isStandardInput { return "standard input" + suffix }
    let parts = path.split(separator: "/")
    guard components < parts.count, !parts.isEmpty else { return path + suffix }
    return parts.suffix(components).joined(separator: "/") + suffix
  }

  /// How many components the path has.
  var componentCount: Int { path.split(separator: "/").count }
}

extension OrderKey {
  /// The keys of a file, whose sequence they cut anew.
  static let ofFiles: [OrderKey] = [.n, .initial, .schedule, .steps]
}

extension OrderSpecification {
  /// Whether the text stands for an order on standard input.
  public static func isStandardInput(_ text: String) -> Bool {
    OrderFilePlace.reading(text)?.place.isStandardInput ?? false
  }

  /// Names for orders that are shown together: the orders' own, but of files with the same base name as much of the path as
  /// tells them apart.
  ///
  /// - Complexity: O(s²·c) for s specifications of paths with c components.
  public static func names(of specifications: [OrderSpecification]) -> [String] {
    specifications.map { specification in
      guard case .file(let place, _) = specification.source else { return specification.name }
      var components = 1
      while components < place.componentCount,
        specifications.contains(where: { other in
          guard case .file(let another, _) = other.source else {
            return other.name == place.name(components: components)
          }
          return other.text != specification.text
            && another.name(components: components) == place.name(components: components)
        })
      {
        components += 1
      }
      return place.name(components: components)
    }
  }
}
