import EntropyEstimation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenGrids

@testable import OrderSearch

private let grid = TokenGrid(rows: 2, columns: 5)

/// All sizes of groups of ten tokens.
private let compositions: [[Int]] = (0..<1 << 9).map { mask in
  var sizes = [1]
  for bit in 0..<9 {
    if mask >> bit & 1 == 1 { sizes.append(1) } else { sizes[sizes.count - 1] += 1 }
  }
  return sizes
}

private func costs(seed: UInt64) throws -> StepCosts {
  var generator = SeededGenerator(seed: seed)
  var sequence = Array(0..<10)
  generator.shuffle(&sequence)
  return try StepCosts(
    of: sequence, covariance: GaussianField(grid: grid, channels: 2, range: 1.5).covariance)
}

/// The dynamic programme finds for every number of steps what a search through all sizes finds, also where data make some costs
/// negative.
@Test(arguments: [1, 2, 3]) func optimalGroupsAreThoseOfAllCompositions(seed: UInt64) throws {
  let field = try GaussianField(grid: grid, channels: 2, range: 1.5)
  let estimated = try StepCostEstimator(EstimationSettings(bound: .wishart)).costs(
    of: [.init(name: "s", cells: Array((0..<10).reversed()))],
    in: field.samples(40, seed: seed))[0]
  for costs in [try costs(seed: seed), estimated] {
    let groups = OptimalGroups(costs)
    #expect(groups.stepCounts == Array(1...10))
    for steps in 1...10 {
      let best = compositions.filter { $0.count == steps }.map { costs.loss(ofGroupSizes: $0) }
        .min()
      let found = try #require(groups.groupSizes(steps: steps))
      #expect(found.count == steps && found.reduce(0, +) == 10)
      #expect(abs(costs.loss(ofGroupSizes: found) - (best ?? .nan)) < 1e-12)
      #expect(abs((groups.loss(steps: steps) ?? .nan) - (best ?? .nan)) < 1e-12)
    }
    #expect(groups.loss(steps: 0) == nil && groups.groupSizes(steps: 11) == nil)
  }
}

/// Constraints leave the best of the sizes that satisfy them, and as many numbers of steps as there are such sizes.
@Test(arguments: [
  StepConstraints(initialSteps: 2), StepConstraints(multiple: 4),
  StepConstraints(largestGroup: 3), StepConstraints(initialSteps: 3, multiple: 2, largestGroup: 4),
  StepConstraints(initialSteps: 10), StepConstraints(multiple: 3, largestGroup: 5),
  StepConstraints(multiple: 20), StepConstraints(multiple: 4, largestGroup: 3),
]) func constraintsAreKept(constraints: StepConstraints) throws {
  let costs = try costs(seed: 5)
  let groups = OptimalGroups(costs, constraints: constraints)
  func isAllowed(_ sizes: [Int]) -> Bool {
    guard sizes.prefix(constraints.initialSteps).allSatisfy({ $0 == 1 }) else { return false }
    let rest = sizes.dropFirst(constraints.initialSteps)
    return rest.allSatisfy { $0 <= constraints.largestGroup ?? 10 }
      && rest.dropLast().allSatisfy { $0.isMultiple(of: constraints.multiple) }
  }
  let allowed = compositions.filter {
    $0.count >= min(constraints.initialSteps, 10) && isAllowed($0)
  }
  for steps in 1...10 {
    let best = allowed.filter { $0.count == steps }.map { costs.loss(ofGroupSizes: $0) }.min()
    #expect((groups.loss(steps: steps) == nil) == (best == nil))
    if let best, let found = groups.groupSizes(steps: steps) {
      #expect(isAllowed(found) && abs(costs.loss(ofGroupSizes: found) - best) < 1e-12)
    }
  }
  let counts = Set(allowed.map(\.count))
  #expect(Set(groups.stepCounts) == counts)
  if let fewest = counts.min(), let most = counts.max() {
    #expect(constraints.stepCounts(of: 10) == fewest...most)
  }
}
