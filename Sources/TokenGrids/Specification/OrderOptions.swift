/// The values of a specification's `key=value` pairs; nil where the user gave none.
struct OrderOptions: Hashable, Sendable {
  var n: Int?
  var initial: Int?
  var w: Int?
  var seed: UInt64?
  var schedule: Shape?
  var steps: Int?
  var direction: SpiralDirection?
  var seeds: Int?
  var repulsion: Int?
  var proximity: Double?
  /// The speeds of a wavefront from frame to frame, row to row and column to column.
  var speeds: [OrderKey: Int] = [:]
  /// The keys that the user gave.
  private var given: Set<OrderKey> = []

  /// How the sizes of the steps run.
  enum Shape: String, CaseIterable, Hashable, Sendable {
    case constant, cosine, arccos
    case maskedCosine = "masked-cosine"
    case maskedArccos = "masked-arccos"
    case optimal, levels

    /// The shapes that a family knows.
    static func known(to owner: OrderOptionsOwner) -> [Shape] {
      allCases.filter { $0 != .levels || owner == .family(.subsample) }
    }
  }

  /// Reads what follows the colon, nil where there is none, and checks that the values agree with each other.
  ///
  /// `optimalSteps` are the steps of an optimal schedule whose `steps=` is not given.
  init(
    _ settings: String?, of family: OrderOptionsOwner, optimalSteps: Int?
  ) throws(OrderSpecificationError) {
    for setting in settings?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(Self.trimmed)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw .notASetting(family.description, keys: family.keys, Self.trimmed(setting))
      }
      guard let key = OrderKey(rawValue: parts[0]), family.keys.contains(key) else {
        throw .unknownKey(family.description, keys: family.keys, parts[0])
      }
      guard given.insert(key).inserted else { throw .repeatedKey(family.description, key) }
      try set(key, to: parts[1], of: family)
    }
    if family == .family(.window) && w == nil {
      throw .missingKey(family.description, .w, example: "window:w=8")
    }
    try settleSchedule(of: family, optimalSteps: optimalSteps)
  }

  private mutating func set(
    _ key: OrderKey, to value: String, of family: OrderOptionsOwner
  ) throws(OrderSpecificationError) {
    func wholeNumber<Number: FixedWidthInteger>(
      from smallest: Number
    ) throws(OrderSpecificationError) -> Number {
      guard let number = Number(value), number >= smallest else {
        throw .invalidValue(
          family.description, key, value, expected: "a whole number from \(smallest)")
      }
      return number
    }
    func choice<Choice: RawRepresentable<String>>(
      of choices: [Choice]
    ) throws(OrderSpecificationError) -> Choice {
      guard let choice = choices.first(where: { $0.rawValue == value }) else {
        let choices = choices.map(\.rawValue).joined(separator: ", ")
        throw .invalidValue(family.description, key, value, expected: "one of \(choices)")
      }
      return choice
    }
    switch key {
    case .n: n = try wholeNumber(from: 1)
    case .initial: initial = try wholeNumber(from: 0)
    case .w: w = try wholeNumber(from: 1)
    case .seed: seed = try wholeNumber(from: 0)
    case .schedule: schedule = try choice(of: Shape.known(to: family))
    case .steps: steps = try wholeNumber(from: 1)
    case .direction: direction = try choice(of: SpiralDirection.allCases)
    case .seeds:
      guard let number = Int(value), Self.seedCounts.contains(number) else {
        throw .invalidValue(
          family.description, key, value,
          expected:
            "a whole number from \(Self.seedCounts.lowerBound) to \(Self.seedCounts.upperBound)")
      }
      seeds = number
    case .repulsion: repulsion = try wholeNumber(from: 0)
    case .proximity:
      guard let number = Double(value), number.isFinite, number >= 0 else {
        throw .invalidValue(family.description, key, value, expected: "a number from 0")
      }
      proximity = number
    case .a, .b, .c:
      let speed: Int = try wholeNumber(from: 0)
      guard speed <= GenerationOrder.largestSpeed else {
        throw .invalidValue(
          family.description, key, value,
          expected: "a whole number from 0 to \(GenerationOrder.largestSpeed)")
      }
      speeds[key] = speed
    }
  }

  /// Whether the user gave none.
  var isEmpty: Bool { given.isEmpty }

  /// How the steps are cut where a schedule other than the family's own runs is asked for; nil for the runs.
  var cut: Shape? { schedule == .constant && steps == nil ? nil : schedule }

  /// How many seeds may be asked for at once.
  private static let seedCounts = 2...1000

  /// Lets `steps` alone choose the family's own schedule, and refuses keys that contradict each other.
  private mutating func settleSchedule(
    of family: OrderOptionsOwner, optimalSteps: Int?
  ) throws(OrderSpecificationError) {
    if schedule == .optimal, steps == nil {
      guard let optimalSteps else {
        throw .missingKey(
          family.description, .steps, example: "\(family):schedule=optimal,steps=24")
      }
      steps = optimalSteps
    }
    let hasSteps = given.contains(.steps)
    if schedule == .levels, let other = [OrderKey.steps, .n, .initial].first(where: given.contains)
    {
      throw .conflict(
        family.description, .schedule, other, because: "the levels say how many tokens each holds")
    }
    // Other families have a number of steps, but no sequence that could be cut in several ways.
    guard family.keys.contains(.schedule) else { return }
    if steps != nil {
      // Regions and blocks are made of n tokens however their sequence is cut.
      if n != nil, !family.hasSequenceOfN {
        throw .conflict(
          family.description, hasSteps ? .steps : .schedule, .n,
          because: "the steps already say how many tokens each holds")
      }
      if schedule == nil { schedule = family.growth }
    }
    if initial != nil, let cut {
      throw .conflict(
        family.description, .initial, hasSteps ? .steps : .schedule,
        because: "the \(cut.rawValue) schedule sets its own first steps")
    }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let rest = text.drop { $0.isWhitespace }
    return String(rest.reversed().drop { $0.isWhitespace }.reversed())
  }
}

/// What options belong to.
enum OrderOptionsOwner: Hashable, Sendable, CustomStringConvertible {
  case family(OrderFamily)
  /// A file, by its path.
  case file(String)

  /// What messages call it.
  var description: String {
    switch self {
    case .family(let family): family.rawValue
    case .file(let path): path
    }
  }

  /// The keys it has.
  var keys: [OrderKey] {
    switch self {
    case .family(let family): family.keys
    case .file: OrderKey.ofFiles
    }
  }

  /// Whether the sequence itself depends on n, and not only how it is cut.
  fileprivate var hasSequenceOfN: Bool {
    if case .family(let family) = self { family.hasSequenceOfN } else { false }
  }

  /// The schedule that `steps=` alone asks for: the one that the family was published with.
  fileprivate var growth: OrderOptions.Shape {
    switch self {
    case .family(.random): .cosine
    case .family(.halton): .arccos
    default: .constant
    }
  }
}

extension OrderFamily {
  /// Whether the sequence itself depends on n, and not only how it is cut.
  var hasSequenceOfN: Bool { self == .distant || self == .blocks }
}
