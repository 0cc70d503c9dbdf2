/// An order as the user names it: `name`, `name:key=value,…` or the path of an order file; for any grid.
///
/// Text with a `/` in it, or that ends in `.txt`, `.csv` or `.json`, is a path.
public struct OrderSpecification: Hashable, Sendable {
  /// What the user wrote.
  public let text: String
  let source: Source

  enum Source: Hashable, Sendable {
    case file(path: String)
    case family(OrderFamily, OrderOptions)
  }

  /// Reads a specification; a file is only opened by ``order(on:tokensPerStep:)``.
  ///
  /// - Parameter optimalSteps: the steps of `schedule=optimal` where the text does not name them; without it `steps=`
  ///   is needed.
  /// - Throws: ``OrderSpecificationError`` that says what was written and what may be.
  public init(_ text: String, optimalSteps: Int? = nil) throws(OrderSpecificationError) {
    self.text = text
    if Self.isPath(text) {
      source = .file(path: text)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let family = OrderFamily(rawValue: name) else { throw .unknownFamily(name) }
    let settings = parts.count == 2 ? String(parts[1]) : nil
    source = .family(
      family, try OrderOptions(settings, of: family, optimalSteps: optimalSteps))
  }

  /// The family, or nil for an order file.
  public var family: OrderFamily? {
    if case .family(let family, _) = source { family } else { nil }
  }

  /// The path of the order file, or nil for a built-in order.
  public var path: String? {
    if case .file(let path) = source { path } else { nil }
  }

  /// Whether ``order(on:tokensPerStep:)`` heeds the number of tokens per step: not where a file, the family's rule or an
  /// option fixes the steps.
  public var takesTokensPerStep: Bool {
    switch source {
    case .file: false
    case .family(let family, let options):
      family.keys.contains(.n) && options.n == nil && options.schedule != .levels
        && (options.steps == nil || family.hasSequenceOfN)
    }
  }

  /// The number of steps into which the whole sequence is to be cut with the sizes that lose least on some tokens; nil
  /// unless the specification says `schedule=optimal`.
  ///
  /// The sizes are fitted to tokens and go with ``sequence(on:tokensPerStep:)`` into
  /// ``GenerationOrder/init(name:grid:sequence:groupSizes:)``; ``order(on:tokensPerStep:)`` knows none.
  public var optimalSteps: Int? {
    guard case .family(_, let options) = source, options.schedule == .optimal else { return nil }
    return options.steps
  }

  /// The name of the orders it makes: the text itself, or the base name of a file.
  public var name: String {
    path?.split(separator: "/").last.map(String.init) ?? text
  }

  /// The same order with each of its `seeds=`, named after them; itself alone where there is none.
  public var bySeed: [OrderSpecification] {
    guard case .family(let family, var options) = source, let seeds = options.seeds else {
      return [self]
    }
    options.seeds = nil
    let settings = text.filter { !$0.isWhitespace }.drop { $0 != ":" }.dropFirst()
      .split(separator: ",").filter { !["seed", "seeds"].contains($0.prefix { $0 != "=" }) }
    let first = options.seed ?? 0
    return (0..<UInt64(seeds)).map { number in
      // After the largest seed comes 0.
      options.seed = first &+ number
      let all = settings.map(String.init) + ["seed=\(first &+ number)"]
      return OrderSpecification(
        text: "\(family):\(all.joined(separator: ","))", source: .family(family, options))
    }
  }

  private init(text: String, source: Source) {
    self.text = text
    self.source = source
  }

  /// The order on a grid.
  ///
  /// - Parameter tokensPerStep: n where the specification does not set it; families whose rule fixes the steps
  ///   (`diagonal`, `window`), those given `steps=`, and files have no use for it.
  /// - Throws: ``GenerationOrderError`` when the order does not fit the grid or its steps are optimal, which only tokens
  ///   can tell; ``OrderFileError`` when the file cannot be used.
  /// - Complexity: O(N log N) at most, and reading the file.
  public func order(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep
  ) throws -> GenerationOrder {
    switch source {
    case .file(let path): return try GenerationOrder(contentsOfFile: path, grid: grid)
    case .family(let family, let options):
      try requireOneSeed(of: options)
      let n = options.n ?? tokensPerStep
      guard let cut = options.cut, cut != .levels else {
        return try runs(of: family, options, on: grid, tokensPerStep: n)
      }
      guard cut != .optimal else { throw GenerationOrderError.unfittedGroupSizes(order: name) }
      let schedule = try schedule(cut, options.steps, on: grid, tokensPerStep: n)
      let frame = grid.rows * grid.columns
      let sequence = try sequence(of: family, options, on: grid, tokensPerStep: n)
      return try GenerationOrder(
        name: name, grid: grid,
        frameSequences: (0..<grid.frames).map {
          Array(sequence[$0 * frame..<($0 + 1) * frame])
        }, schedule: schedule)
    }
  }

  /// The raster indices of all N cells in the sequence that the steps are cut from.
  ///
  /// - Parameter tokensPerStep: n where the specification does not set it, for families whose sequence depends on it
  ///   (`distant`, `blocks`).
  /// - Throws: ``GenerationOrderError`` when the order does not fit the grid, or has more optimal steps than cells;
  ///   ``OrderFileError`` when the file cannot be used.
  /// - Complexity: O(N log N) at most, and reading the file.
  public func sequence(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep
  ) throws -> [Int] {
    if let optimalSteps, !(1...grid.cellCount).contains(optimalSteps) {
      throw GenerationOrderError.optimalStepsOutsideRange(
        order: name, steps: optimalSteps, grid: grid)
    }
    switch source {
    case .file: return try order(on: grid).sequence
    case .family(let family, let options):
      try requireOneSeed(of: options)
      return try sequence(
        of: family, options, on: grid, tokensPerStep: options.n ?? tokensPerStep)
    }
  }

  private func requireOneSeed(of options: OrderOptions) throws(GenerationOrderError) {
    guard let seeds = options.seeds else { return }
    throw .severalSeeds(order: name, seeds: seeds, example: bySeed[0].text)
  }

  private func sequence(
    of family: OrderFamily, _ options: OrderOptions, on grid: TokenGrid, tokensPerStep n: Int
  ) throws(GenerationOrderError) -> [Int] {
    var options = options
    options.initial = nil
    return try runs(
      of: family, options, on: grid, tokensPerStep: family.hasSequenceOfN ? n : 1
    ).sequence
  }

  /// The order with the family's own steps: runs of n where it is a sequence.
  private func runs(
    of family: OrderFamily, _ options: OrderOptions, on grid: TokenGrid, tokensPerStep n: Int
  ) throws(GenerationOrderError) -> GenerationOrder {
    let initial = options.initial
    return switch family {
    case .raster:
      try .raster(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .distant:
      try .distant(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .blocks:
      try .blocks(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .diagonal:
      .diagonal(on: grid, name: name)
    case .window:
      // The parser has seen to it that there is a width.
      try .window(on: grid, width: options.w ?? grid.columns, name: name)
    case .random:
      try .random(
        on: grid, seed: options.seed ?? 0, schedule: .runs(of: n, initialSteps: initial),
        name: name)
    case .halton:
      try .halton(on: grid, schedule: .runs(of: n, initialSteps: initial), name: name)
    case .spiral:
      try .spiral(
        on: grid, direction: options.direction ?? .inward, tokensPerStep: n,
        initialSteps: initial, name: name)
    case .hilbert:
      try .hilbert(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .zcurve:
      try .zCurve(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .subsample where options.schedule == .levels:
      .subsampleLevels(on: grid, name: name)
    case .subsample:
      try .subsample(on: grid, tokensPerStep: n, initialSteps: initial, name: name)
    case .lpd:
      try .lpd(
        on: grid, steps: options.steps ?? 20, repulsion: options.repulsion ?? 2,
        proximity: options.proximity ?? 1, seed: options.seed ?? 0, name: name)
    case .checkerboard:
      try .checkerboard(
        on: grid, steps: options.steps ?? 2, seed: options.seed ?? 0, name: name)
    case .wavefront:
      .wavefront(
        on: grid, frameSpeed: options.speeds[.a] ?? 1, rowSpeed: options.speeds[.b] ?? 1,
        columnSpeed: options.speeds[.c] ?? 1, name: name)
    }
  }

  /// The schedule, with ⌈H·W / n⌉ steps in each frame unless their number is given.
  private func schedule(
    _ shape: OrderOptions.Shape, _ given: Int?, on grid: TokenGrid, tokensPerStep n: Int
  ) throws(GenerationOrderError) -> StepSchedule {
    let steps: Int
    if let given {
      steps = given
    } else {
      try StepSchedule.checkTokensPerStep(n, order: name, grid: grid)
      steps = (grid.rows * grid.columns + n - 1) / n
    }
    return switch shape {
    case .cosine: .cosine(steps: steps)
    case .arccos: .arccos(steps: steps)
    case .maskedCosine: .maskedCosine(steps: steps)
    case .maskedArccos: .maskedArccos(steps: steps)
    // Optimal sizes and levels are none of a schedule, and have been dealt with.
    case .constant, .optimal, .levels: .equal(steps: steps)
    }
  }

  private static func isPath(_ text: String) -> Bool {
    let lowercased = text.lowercased()
    return text.contains("/") || lowercased.hasSuffix(".npy")
      || OrderFileFormat.allCases.contains { format in
        format.extensions.contains { lowercased.hasSuffix("." + $0) }
      }
  }
}

extension OrderSpecification: CustomStringConvertible {
  /// What the user wrote.
  public var description: String { text }
}
