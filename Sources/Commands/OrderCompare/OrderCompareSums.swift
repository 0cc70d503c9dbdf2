import ArgumentParser
import EntropyEstimation
import Files
import Reporting
import Shards
import TokenGrids

extension OrderCompareRun {
  /// Refuses what sums over images do not tell.
  func checkSums() throws {
    guard sums.moments != nil else { return }
    try ImageDemands(
      source.given, tokens, estimation,
      others: [
        ("--likelihood", likelihood != nil), ("--step-maps", !selection.stepMaps.isEmpty),
        ("--fit-fraction", fit.fraction != nil), ("--atlas", output.atlas != nil),
        ("--context-window", context.contextWindow != nil),
        ("--ridge", context.ridge != nil), ("--ledoit-wolf", context.ledoitWolf),
      ]
    ).refuse()
    if sums.influences != nil {
      guard estimation.bound == .debiased else {
        throw ValidationError(
          "--influences are for --bound debiased; \(estimation.bound.rawValue) follows from --moments alone"
        )
      }
    } else if estimation.bound == .debiased {
      throw ValidationError(
        "--bound debiased needs --influences beside --moments; wishart and algorithm-1 follow from moments alone"
      )
    } else if estimation.errors == .robust {
      throw ValidationError("--errors robust need images, and --moments are sums over them")
    }
  }

  /// Estimates the profiles from sums over shards, and prints them.
  mutating func runFromSums(_ path: String, clock: Stopwatch) throws {
    InputFiles.shared.insert(path)
    let stored = try StoredMoments(contentsOf: path)
    let hash = try ContentHash(ofFileAt: path).description
    estimation.clusterErrors(of: stored, canBeRobust: false)
    let influences = try sums.influences.map { path in
      InputFiles.shared.insert(path)
      return try StoredResiduals(contentsOf: path)
    }
    let selected = try selectedOrders(on: stored.grid, of: influences)
    let orders = selected.rows.flatMap(\.orders)
    let progress = ProgressLine("factoring orders", total: orders.count, unit: "orders")
    let estimates = try ShardedEstimation(
      stored, hash: hash, givenClass: estimation.given != nil, jitter: estimation.jitter)
    let profiles = try advisingPrecision {
      if let influences {
        return try estimates.profiles(influences, of: orders) { progress.update($0) }
      }
      return try estimates.profiles(of: orders, bound: estimation.bound) { progress.update($0) }
    }
    progress.finish()
    let provenance = Provenance(ofMoments: path, hash: hash).finished(after: clock)
    try show(
      selected.grouping(profiles), of: stored, Facts(leftOut: selected.leftOut),
      provenance: provenance)
  }

  /// The orders that were named, or all that there are influences of.
  private func selectedOrders(
    on grid: TokenGrid, of influences: StoredResiduals?
  ) throws -> SelectedOrders {
    if selection.isEmpty, let influences {
      if let n = givenTokensPerStep {
        throw ValidationError(
          "--tokens-per-step \(n): there is no use for it, because the orders are those of --influences"
        )
      }
      var selected = SelectedOrders()
      selected.rows = influences.orders.map { ($0.name, [$0]) }
      return selected
    }
    let specifications = try selection.specifications(givenTokensPerStep: givenTokensPerStep)
    if let optimal = specifications.first(where: { $0.optimalSteps != nil }) {
      throw ValidationError(
        "\(optimal.name): group sizes are fitted to images, and --moments are sums over them; order-search finds orders and"
          + " writes them as files")
    }
    return try selection.orders(
      specifications, on: grid,
      tokensPerStep: givenTokensPerStep ?? StepSchedule.defaultTokensPerStep)
  }
}
