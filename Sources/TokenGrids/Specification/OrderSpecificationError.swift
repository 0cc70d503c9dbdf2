/// Why a text is not an order; the first value of each case is the name of the family, or the path of the file.
public enum OrderSpecificationError: Error, Hashable {
  /// A name that is no family.
  case unknownFamily(String)
  /// A part after the colon that is not `key=value`.
  case notASetting(String, keys: [OrderKey], String)
  /// A key that the family or a file does not have.
  case unknownKey(String, keys: [OrderKey], String)
  /// A key that is set twice.
  case repeatedKey(String, OrderKey)
  /// A key that the family cannot do without.
  case missingKey(String, OrderKey, example: String)
  /// A value that the key cannot have.
  case invalidValue(String, OrderKey, String, expected: String)
  /// Two keys that contradict each other.
  case conflict(String, OrderKey, OrderKey, because: String)
}

extension OrderSpecificationError: CustomStringConvertible {
  /// One sentence for the user: what was found and what was expected.
  public var description: String {
    switch self {
    case .unknownFamily(let name):
      Self.unknownFamily(name)
    case .notASetting(let order, let keys, ""):
      "\(order): a setting is missing after ':' or ','; \(Self.accepted(keys))"
    case .notASetting(let order, let keys, let setting):
      "\(order): '\(setting)' is not key=value; \(Self.accepted(keys))"
    case .unknownKey(let order, let keys, let key):
      "\(order): there is no key '\(key)'; \(Self.accepted(keys))"
    case .repeatedKey(let order, let key):
      "\(order): \(key)= is given twice"
    case .missingKey(let order, let key, let example):
      "\(order): \(key)= is missing, as in \(example)"
    case .invalidValue(let order, let key, let value, let expected):
      "\(order): \(key)=\(value) is not \(expected)"
    case .conflict(let order, let first, let second, let reason):
      "\(order): \(first)= and \(second)= do not go together: \(reason)"
    }
  }

  private static func unknownFamily(_ name: String) -> String {
    let families = OrderFamily.allCases.map(\.rawValue)
    let closest = closestWord(to: name, in: families).map { " (did you mean \($0)?)" } ?? ""
    return """
      there is no order '\(name)'\(closest); the orders are \(families.joined(separator: ", ")), \
      or a file that ends in .txt, .csv, .json or .npy or is given with its folder, as in ./\(name)
      """
  }

  private static func accepted(_ keys: [OrderKey]) -> String {
    keys.isEmpty
      ? "it takes no settings"
      : "its keys are " + keys.map { "\($0)=" }.joined(separator: ", ")
  }
}
