import EntropyEstimation
import Foundation
import OrderSearch
import TokenData
import TokenGrids

/// What the costs of all steps of a sequence, and the best sizes for every number of steps, take beyond one order's total by the closed
/// form, which takes the sums of products and one factorisation too.
struct CostsBenchmark {
  let root: String
  let runs: Int

  func run() throws {
    let path = "\(root)/Notebooks-data/scenes-24x24.h5"
    let dataset = try TokenDataset(contentsOf: path, centred: true)
    let order = try GenerationOrder.halton(on: dataset.grid)
    let sequence = StepCostEstimator.Sequence(name: "halton", cells: order.sequence)
    func seconds(_ body: () throws -> Void) rethrows -> Double {
      let start = ContinuousClock.now
      try body()
      let time = ContinuousClock.now - start
      return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
    }
    print("\(dataset.imageCount) images, \(dataset.grid) tokens, d = \(dataset.featureDimensions)")
    print(
      "run  one order, wishart  costs, wishart  beyond  costs, debiased  beyond  best sizes for all S"
    )
    for run in 1...runs {
      let base = try seconds {
        _ = try OrderEstimator(EstimationSettings(bound: .wishart)).profiles(
          of: [order], in: dataset)
      }
      var costs: [StepCosts] = []
      let closed = try seconds {
        costs = try StepCostEstimator(EstimationSettings(bound: .wishart)).costs(
          of: [sequence], in: dataset)
      }
      let debiased = try seconds {
        costs += try StepCostEstimator().costs(of: [sequence], in: dataset)
      }
      let programme = seconds { _ = OptimalGroups(costs[1]) }
      print(
        String(
          format: "%3d %18.2fs %14.2fs %6.2fs %15.2fs %6.2fs %20.2fs", run, base, closed,
          closed - base, debiased, debiased - base, programme))
      guard run == 1 else { continue }
      for (name, one) in zip(["wishart", "debiased"], costs) {
        let groups = OptimalGroups(one)
        let losses = [16, 24, 36, 51, 147].map {
          String(format: "%d: %.2f", $0, groups.loss(steps: $0) ?? .nan)
        }
        print("  least loss on the same images, \(name) costs: \(losses.joined(separator: ", "))")
      }
      // The costs add up to the order's total.
      let total = try OrderEstimator().profiles(of: [order], in: dataset)[0].totalIncrease
      let sum = costs[1].loss(ofGroupSizes: order.steps.map(\.count))
      print(
        String(
          format: "  halton, n = 4: costs %.7f, total %.7f ± %.4f", sum, total.value,
          total.standardError))
    }
  }
}
