import Foundation
import LinearAlgebra

/// `order-compare` and `entropy-map` against numpy and scikit-learn, on the embedded photographs.
struct EstimationBenchmark {
  let root: String
  let runs: Int
  let python: String

  private var data: String { "\(root)/Notebooks-data/scenes-24x24.h5" }
  private var peers: String { "\(root)/Benchmarks/peers" }

  func run() throws {
    let peak = measuredPeak()
    print("BLAS core \(BLAS.coreName), \(BLAS.threads) threads; dsyrk \(giga(peak)) GFLOP/s")
    let orders = WholeProcess(
      arguments: ["\(root)/.build/release/order-compare", "raster", "distant", "--json"])
    let map = WholeProcess(
      arguments: ["\(root)/.build/release/entropy-map", "--ref", "12,12", "--json"])
    let numpy = WholeProcess(arguments: [python, "\(peers)/numpy_order_compare.py", data])

    // One run of each that does not count, then in turn, so that a drift of the machine's speed meets all alike.
    var last = (ours: try orders.run(), numpy: try numpy.run())
    _ = try map.run()
    var seconds = (ours: [Double](), numpy: [Double](), map: [Double]())
    for _ in 0..<runs {
      last.ours = try orders.run()
      seconds.ours.append(last.ours.seconds)
      seconds.map.append(try map.run().seconds)
      last.numpy = try numpy.run()
      seconds.numpy.append(last.numpy.seconds)
    }
    let ratios = zip(seconds.numpy, seconds.ours).map { $0 / $1 }
    let difference = try Comparison(last.ours.output, last.numpy.output)
    print("")
    line("order-compare raster distant", seconds.ours)
    line("numpy, one Cholesky an order", seconds.numpy)
    print("ratio numpy / order-compare, run by run: \(range(ratios, digits: 2))")
    print("largest difference of any entropy: \(difference.entropy) nats")
    print(
      "difference of the totals: \(difference.total) nats; of the joint entropy: \(difference.joint) nats"
    )
    // m·D² for the products and 2·D³/3 for two factorisations.
    let work = 10_000 * 4608.0 * 4608 + 2.0 / 3 * 4608 * 4608 * 4608
    print(
      "order-compare does its \(giga(work)) GFLOP at \(percent(work / seconds.ours.median / peak)) of dsyrk's speed"
    )
    print("")
    line("entropy-map --ref 12,12", seconds.map)
    let share = zip(seconds.map, seconds.ours).map { $0 / $1 }
    print("share of order-compare's time, run by run: \(range(share, digits: 3))")
    print("")
    try compareWithRegressions(seconds.ours.median)
  }

  private func compareWithRegressions(_ seconds: Double) throws {
    let peer = WholeProcess(arguments: [python, "\(peers)/sklearn_algorithm_1.py", data])
    guard let output = try? peer.run().output,
      let result = try? JSONDecoder().decode(Regressions.self, from: output)
    else {
      print("scikit-learn was not measured: \(python) needs scikit-learn, h5py and numpy")
      return
    }
    print(
      "scikit-learn LinearRegression: \(result.measured.count) of \(result.regressions) fits timed,"
        + " \(String(format: "%.0f", result.measured.map(\.seconds).reduce(0, +))) s; all of them would take"
        + " \(String(format: "%.1f", result.extrapolatedSeconds / 3600)) h (extrapolated)")
    print(
      "ratio to order-compare: \(String(format: "%.0f", result.extrapolatedSeconds / seconds))")
    print("largest difference of an entropy, algorithm-1: \(result.largestDifference) nats")
  }

  private struct Regressions: Decodable {
    struct Fit: Decodable {
      let predictors: Int
      let seconds: Double
    }

    let regressions: Int
    let measured: [Fit]
    let extrapolatedSeconds: Double
    let largestDifference: Double

    enum CodingKeys: String, CodingKey {
      case regressions, measured
      case extrapolatedSeconds = "extrapolated_seconds"
      case largestDifference = "largest_difference"
    }
  }

  /// How far two results are apart.
  private struct Comparison {
    var entropy = 0.0
    var total = 0.0
    var joint = 0.0

    private struct Result: Decodable {
      struct Order: Decodable {
        let total_increase: Double
        let sequential, parallel: [[Double]]
      }
      let orders: [Order]
    }

    init(_ ours: Data, _ theirs: Data) throws {
      let (a, b) = (
        try JSONDecoder().decode(Result.self, from: ours),
        try JSONDecoder().decode(Result.self, from: theirs)
      )
      for (x, y) in zip(a.orders, b.orders) {
        total = max(total, abs(x.total_increase - y.total_increase))
        let sums = [x, y].map { $0.sequential.joined().reduce(0, +) }
        joint = max(joint, abs(sums[0] - sums[1]))
        for (p, q) in [(x.sequential, y.sequential), (x.parallel, y.parallel)] {
          for (left, right) in zip(p.joined(), q.joined()) {
            entropy = max(entropy, abs(left - right))
          }
        }
      }
    }
  }

  private func line(_ name: String, _ seconds: [Double]) {
    print("\(name): \(range(seconds, digits: 3)) s")
  }

  private func range(_ values: [Double], digits: Int) -> String {
    let text = [values.median, values.min() ?? .nan, values.max() ?? .nan].map {
      String(format: "%.\(digits)f", $0)
    }
    return "median \(text[0]) (\(text[1]) to \(text[2]))"
  }

  private func giga(_ value: Double) -> String { String(format: "%.1f", value * 1e-9) }

  private func percent(_ value: Double) -> String { String(format: "%.0f %%", 100 * value) }
}
