/// An order as the user names it: `name`, `name:key=value,…` or the path of an order file; for any grid.
///
/// Text with a `/` in it, or that ends in `.txt`, `.csv`, `.json` or `.npy`, is a path, and `-` is standard input. `path#k`
/// is order k, from 0, of a file with several, whose first is taken otherwise. `path:steps=24,schedule=cosine` cuts the
/// file's sequence anew; without any schedule a file has its own steps.
public struct OrderSpecification: Hashable, Sendable {
  /// What the user wrote.
  public let text: String
  let source: Source

  enum Source: Hashable, Sendable {
    case file(OrderFilePlace, OrderOptions)
    case family(OrderFamily, OrderOptions)
  }

  /// Reads a specification; a file is only opened by ``order(on:tokensPerStep:)``.
  ///
  /// - Parameter optimalSteps: the steps of `schedule=optimal` where the text does not name them; without it `steps=`
  ///   is needed.
  /// - Throws: ``OrderSpecificationError`` that says what was written and what may be.
  public init(_ text: String, optimalSteps: Int? = nil) throws(OrderSpecificationError) {
    self.text = text
    if let (place, settings) = OrderFilePlace.reading(text) {
      source = .file(
        place,
        try OrderOptions(settings, of: .file(place.path), optimalSteps: optimalSteps))
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let family = OrderFamily(rawValue: name) else { throw .unknownFamily(name) }
    let settings = parts.count == 2 ? String(parts[1]) : nil
    source = .family(
      family, try OrderOptions(settings, of: .family(family), optimalSteps: optimalSteps))
  }

  /// The family, or nil for an order file.
  public var family: OrderFamily? {
    if case .family(let family, _) = source { family } else { nil }
  }

  /// The path of the order file, or nil for a built-in order and standard input.
  public var path: String? {
    if case .file(let place, _) = source, !place.isStandardInput { place.path } else { nil }
  }

  /// Whether ``order(on:tokensPerStep:)`` heeds the number of tokens per step: not where a file, the family's rule or an
  /// option fixes the steps.
  public var takesTokensPerStep: Bool {
    switch source {
    case .file(_, let options):
      !options.isEmpty && options.n == nil && options.steps == nil
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
    switch source {
    case .file(_, let options), .family(_, let options):
      options.schedule == .optimal ? options.steps : nil
    }
  }

  /// The name of the orders it makes: the text itself, or for a file its base name with what follows it.
  public var name: String {
    if case .file(let place, _) = source { place.name(components: 1) } else { text }
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
  /// - Parameters:
  ///   - tokensPerStep: n where the specification does not set it; families whose rule fixes the steps (`diagonal`,
  ///     `window`), those given `steps=`, and files have no use for it.
  ///   - shownName: the order's name where it is not ``name``, as ``names(of:)`` has it.
  /// - Throws: ``GenerationOrderError`` when the order does not fit the grid or its steps are optimal, which only tokens
  ///   can tell; ``OrderFileError`` when the file cannot be used.
  /// - Complexity: O(N log N) at most, and reading the file.
  public func order(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep,
    named shownName: String? = nil
  ) throws -> GenerationOrder {
    let name = shownName ?? name
    switch source {
    case .file(let place, let options):
      let own = try GenerationOrder(contentsOf: place, name: name, grid: grid)
      if options.isEmpty { return own }
      return try cut(
        own.sequence, by: options, on: grid, tokensPerStep: options.n ?? tokensPerStep, name: name)
    case .family(let family, let options):
      try requireOneSeed(of: options)
      let n = options.n ?? tokensPerStep
      guard let shape = options.cut, shape != .levels else {
        return try runs(of: family, options, on: grid, tokensPerStep: n, name: name)
      }
      return try cut(
        sequence(of: family, options, on: grid, tokensPerStep: n), by: options, on: grid,
        tokensPerStep: n, name: name)
    }
  }

  /// All orders that the specification stands for: of a file with several, unless it says `#k`, each of them; else one.
  ///
  /// Options that cut a file's sequence anew cut each of them.
  ///
  /// - Throws: as ``order(on:tokensPerStep:named:)`` does.
  /// - Complexity: O(N log N) an order at most, and reading the file.
  public func orders(
    on grid: TokenGrid, tokensPerStep: Int = StepSchedule.defaultTokensPerStep
  ) throws -> [GenerationOrder] {
    guard case .file(let place, let options) = source, place.index == nil else {
      return [try order(on: grid, tokensPerStep: tokensPerStep)]
    }
    let own = try GenerationOrder.all(in: place, name: name, grid: grid)
    if options.isEmpty { return own }
    return try own.map {
      try cut(
        $0.sequence, by: options, on: grid, tokensPerStep: options.n ?? tokensPerStep,
        name: $0.name)
    }
  }

  /// A sequence cut by the options' schedule: as one where that is runs, else in pieces of as many cells as a frame has.
  private func cut(
    _ sequence: [Int], by options: OrderOptions, on grid: TokenGrid, tokensPerStep n: Int,
    name: String
  ) throws(GenerationOrderError) -> GenerationOrder {
    let schedule: StepSchedule
    if let shape = options.cut {
      guard shape != .optimal else { throw .unfittedGroupSizes(order: name) }
      schedule = try self.schedule(shape, options.steps, on: grid, tokensPerStep: n)
    } else {
      schedule = .runs(of: n, initialSteps: options.initial)
    }
    let frame = grid.rows * grid.columns
    return try GenerationOrder(
      name: name, grid: grid,
      frameSequences: (0..<grid.frames).map { Array(sequence[$0 * frame..<($0 + 1) * frame]) },
      schedule: schedule)
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
    case .file(let place, _):
      return try GenerationOrder(contentsOf: place, name: name, grid: grid).sequence
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
      of: family, options, on: grid, tokensPerStep: family.hasSequenceOfN ? n : 1, name: name
    ).sequence
  }

  /// The order with the family's own steps: runs of n where it is a sequence.
  private func runs(
    of family: OrderFamily, _ options: OrderOptions, on grid: TokenGrid, tokensPerStep n: Int,
    name: String
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
}

extension OrderSpecification: CustomStringConvertible {
  /// What the user wrote.
  public var description: String { text }
}
