import ArgumentParser
import Experiments
import Figures
import Files
import Foundation
import OrderSearch
import Reporting
import TokenData
import TokenGrids

extension FidCompareRun {
  /// Trains one model for all orders and samples it in each, with the given stages; `show` gets the tables.
  func runAnyOrder(
    stages: AnyOrderStages, shouldStop: @escaping () -> Bool,
    show: (String) throws -> Void = { try printText($0) }
  ) throws {
    let clock = Stopwatch()
    let (dataset, training, held) = try halves()
    let extractors = try proxies.extractors(for: dataset, seed: seed)
    let reader = OrdersOfComparison(
      dataset: dataset, training: training, seed: seed, cache: outputDir + "/runs",
      task: stage.task, shouldStop: shouldStop)
    let chosen = try untilStopped {
      try texts.isEmpty ? reader.standardOrders() : texts.map { try reader.order($0) }
    }
    let comparison = try AnyOrderComparison(
      dataset: dataset, training: training, held: held, orders: chosen,
      settings: anyOrderSettings, seeds: models.anyOrderSeeds, firstSeed: seed,
      extractors: extractors, folder: outputDir, sharesFolder: stage.task != nil, stages: stages,
      shouldStop: shouldStop)
    if let task = stage.task {
      return try show(stage.told(task, untilStopped { try comparison.carryOut(task) }))
    }
    let result = try untilStopped {
      try comparison.run(provenance: Provenance(of: dataset, seed: seed), clock: clock)
    }
    try tell(result, csv: result.csv, text: result.text, show)
    guard let directory = figures.directory(default: outputDir) else { return }
    try figures.write(comparison.figures(of: result), to: directory, provenance: result.provenance)
  }
}

/// The orders that one model is compared in, from what the user wrote or as they are by default.
final class OrdersOfComparison {
  /// Losses from none to all there is, sequences near and far, and the same sequence in many numbers of steps.
  static let standard = [
    "raster+one", "distant+one", "halton+one",
    "raster:n=2", "raster", "raster:n=16", "raster:steps=1",
    "distant", "distant:initial=0", "distant:n=16", "distant:n=16,steps=16",
    "distant:n=16,steps=12", "distant:n=16,steps=8", "distant:schedule=optimal,steps=24",
    "halton:n=2", "halton", "halton:n=9", "halton:n=16", "halton:n=36",
    "halton:schedule=cosine,steps=36", "halton:schedule=cosine,steps=24",
    "halton:schedule=cosine,steps=16", "halton:schedule=cosine,steps=12",
    "halton:schedule=cosine,steps=8",
    "halton:schedule=optimal,steps=36", "halton:schedule=optimal,steps=24",
    "halton:schedule=optimal,steps=16", "halton:schedule=optimal,steps=12",
    "halton:schedule=optimal,steps=8",
    "searched:steps=24", "searched:steps=12",
    "random", "random:n=16", "blocks", "diagonal", "window:w=4", "checkerboard:steps=9",
    "lpd:steps=20", "subsample:schedule=levels",
  ]

  private let dataset, training: TokenDataset
  private let seed: UInt64
  private let cache: String
  private let task: ComparisonTask?
  private let shouldStop: () -> Bool
  private var known: OrderFitting?

  /// - Parameter task: What this process does of a comparison: only the first task, and a process that does all, fit and
  ///   search orders, and the others use what was found, so that all mean the same.
  init(
    dataset: TokenDataset, training: TokenDataset, seed: UInt64, cache: String,
    task: ComparisonTask?, shouldStop: @escaping () -> Bool
  ) {
    (self.dataset, self.training, self.seed) = (dataset, training, seed)
    (self.cache, self.task, self.shouldStop) = (cache, task, shouldStop)
  }

  /// Those of the default that fit the grid and have fewer than all tokens in hand; the others are named with the reason.
  func standardOrders() throws -> [GenerationOrder] {
    var orders: [GenerationOrder] = []
    for text in Self.standard {
      do { orders.append(try order(text)) } catch let error as GenerationOrderError {
        report("left out: \(error)")
      }
    }
    return orders
  }

  /// Reads one order.
  ///
  /// - Throws: What is wrong with the text or does not fit the grid; `ComparisonStopped` in a search that the user stops.
  func order(_ text: String) throws -> GenerationOrder {
    if text.hasPrefix("searched") { return try searched(text) }
    let isSingle = text.hasSuffix("+one")
    let specification = try OrderSpecification(
      argument: isSingle ? String(text.dropLast("+one".count)) : text)
    let order: GenerationOrder
    if let steps = specification.optimalSteps {
      let sequence = try specification.sequence(
        on: dataset.grid, tokensPerStep: StepSchedule.defaultTokensPerStep)
      order = try kept(text, as: "fitted", of: "\(steps) \(sequence)") {
        guard let found = try fitting().search.cut(sequence, steps: steps) else {
          preconditionFailure("a sequence has steps of any number up to its tokens")
        }
        return found
      }
    } else {
      order = try specification.order(on: dataset.grid)
    }
    return try GenerationOrder(
      name: text, grid: dataset.grid,
      steps: isSingle ? order.sequence.map { [$0] } : order.steps)
  }

  private var isGivenClass: Bool { (training.labels.map { Set($0.values).count } ?? 1) > 1 }

  /// Group sizes and searches know the half that is trained on, within its classes.
  private func fitting() throws -> OrderFitting {
    if let known { return known }
    let fitting = try OrderFitting(toAll: training, isGivenClass: isGivenClass, seed: seed)
    known = fitting
    return fitting
  }

  /// An order that is found once for all processes and runs, and kept.
  ///
  /// - Throws: ``ComparisonTaskError/notPrepared(task:missing:)`` where it is for another task to find.
  private func kept(
    _ text: String, as kind: String, of facts: String, _ find: () throws -> FoundSteps
  ) throws -> GenerationOrder {
    let all = "1 \(try dataset.contentHash()?.description ?? "") \(seed) \(isGivenClass) \(facts)"
    let digits = ContentHash(of: .init(all.utf8)).description.dropFirst("xxh64:".count)
    let path = "\(cache)/\(kind)-\(digits).json"
    if let found = JSONFile.read(FoundSteps.self, from: path),
      let order = try? found.order(named: text, on: dataset.grid)
    {
      return order
    }
    if let task, task != .prepare {
      throw ComparisonTaskError.notPrepared(task: task.description, missing: text)
    }
    let found = try find()
    try OutputFolder.make(cache)
    try JSONFile.write(found, to: path)
    return try found.order(named: text, on: dataset.grid)
  }

  /// The best order of a number of steps that a search finds.
  private func searched(_ text: String) throws -> GenerationOrder {
    let grid = dataset.grid
    let setting = text.dropFirst("searched".count)
    guard setting.hasPrefix(":steps="), let steps = Int(setting.dropFirst(":steps=".count)),
      (1...grid.cellCount).contains(steps)
    else {
      throw ValidationError(
        "\(text): expected searched:steps=S with 1 to \(grid.cellCount) steps")
    }
    return try kept(text, as: "searched-\(steps)", of: "\(steps)") { try search(steps, on: grid) }
  }

  private func search(_ steps: Int, on grid: TokenGrid) throws -> FoundSteps {
    let search = try fitting().search
    let starts = [
      SearchStart(
        name: "greedy",
        sequence: GreedySequence(seed: seed).sequence(
          covariance: search.covariance, featureDimensions: search.featureDimensions)),
      SearchStart(name: "halton", sequence: try OrderSpecification("halton").sequence(on: grid)),
    ]
    let line = ProgressLine("searching \(steps) steps", total: 1, unit: "orders")
    defer { line.finish() }
    // Asked only here: a search that is stopped is begun again by the next run.
    nonisolated(unsafe) let shouldStop = shouldStop
    let found = SearchRun(search, starts: starts, seed: seed).candidates(
      steps: steps, shouldStop: { shouldStop() }
    ) { line.update(0, "\($1.significant(3)) nats so far") }
    if shouldStop() { throw ComparisonStopped() }
    guard
      let best = found.min(by: { $0.found.trainingLoss < $1.found.trainingLoss })
    else { preconditionFailure("a sequence has steps of any number up to its tokens") }
    return best.found
  }
}
