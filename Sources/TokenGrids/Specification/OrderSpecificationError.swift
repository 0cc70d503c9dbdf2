/// Why a text is not an order.
public enum OrderSpecificationError: Error, Hashable {
  /// A name that is no family.
  case unknownFamily(String)
  /// A part after the colon that is not `key=value`.
  case notASetting(OrderFamily, String)
  /// A key that the family does not have.
  case unknownKey(OrderFamily, String)
  /// A key that is set twice.
  case repeatedKey(OrderFamily, OrderKey)
  /// A key that the family cannot do without.
  case missingKey(OrderFamily, OrderKey, example: String)
  /// A value that the key cannot have.
  case invalidValue(OrderFamily, OrderKey, String, expected: String)
  /// Two keys that contradict each other.
  case conflict(OrderFamily, OrderKey, OrderKey, because: String)
}

extension OrderSpecificationError: CustomStringConvertible {
  /// One sentence for the user: what was found and what was expected.
  public var description: String {
    switch self {
    case .unknownFamily(let name):
      Self.unknownFamily(name)
    case .notASetting(let family, ""):
      "\(family): a setting is missing after ':' or ','; \(Self.accepted(family))"
    case .notASetting(let family, let setting):
      "\(family): '\(setting)' is not key=value; \(Self.accepted(family))"
    case .unknownKey(let family, let key):
      "\(family): there is no key '\(key)'; \(Self.accepted(family))"
    case .repeatedKey(let family, let key):
      "\(family): \(key)= is given twice"
    case .missingKey(let family, let key, let example):
      "\(family): \(key)= is missing, as in \(example)"
    case .invalidValue(let family, let key, let value, let expected):
      "\(family): \(key)=\(value) is not \(expected)"
    case .conflict(let family, let first, let second, let reason):
      "\(family): \(first)= and \(second)= do not go together: \(reason)"
    }
  }

  private static func unknownFamily(_ name: String) -> String {
    let families = OrderFamily.allCases.map(\.rawValue)
    let closest = closestWord(to: name, in: families).map { " (did you mean \($0)?)" } ?? ""
    return """
      there is no order '\(name)'\(closest); the orders are \(families.joined(separator: ", ")), \
      or a file that ends in .txt, .csv or .json or is given with its folder, as in ./\(name)
      """
  }

  private static func accepted(_ family: OrderFamily) -> String {
    family.keys.isEmpty
      ? "it takes no settings"
      : "its keys are " + family.keys.map { "\($0)=" }.joined(separator: ", ")
  }
}
