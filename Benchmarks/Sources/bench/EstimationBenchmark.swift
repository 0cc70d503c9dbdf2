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
    func compare(_ arguments: String...) -> WholeProcess {
      WholeProcess(arguments: ["\(root)/.build/release/order-compare"] + arguments + ["--json"])
    }
    func numpy(_ bound: String) -> WholeProcess {
      WholeProcess(
        arguments: [python, "\(peers)/numpy_order_compare.py", data, "--bound", bound])
    }
    let map = WholeProcess(
      arguments: ["\(root)/.build/release/entropy-map", "--ref", "12,12", "--json"])
    let programs: [(name: String, process: WholeProcess)] = [
      ("order-compare raster distant", compare("raster", "distant")),
      ("numpy, the same", numpy("debiased")),
      (
        "order-compare raster distant --bound wishart",
        compare("raster", "distant", "--bound", "wishart")
      ),
      ("numpy, the same bound", numpy("wishart")),
      ("order-compare raster", compare("raster")),
      (
        "order-compare, ten orders",
        compare(
          "raster", "distant", "halton", "diagonal", "raster:n=16", "distant:n=16", "halton:n=16",
          "blocks", "random", "spiral")
      ),
      ("entropy-map --ref 12,12", map),
    ]

    // One run of each that does not count, then in turn, so that a drift of the machine's speed meets all alike.
    var outputs = try programs.map { try $0.process.run().output }
    var seconds = programs.map { _ in [Double]() }
    for _ in 0..<runs {
      for (index, program) in programs.enumerated() {
        let run = try program.process.run()
        outputs[index] = run.output
        seconds[index].append(run.seconds)
      }
    }
    print("")
    for (program, times) in zip(programs, seconds) { line(program.name, times) }
    func ratio(_ name: String, _ first: Int, _ second: Int) {
      let ratios = zip(seconds[first], seconds[second]).map { $0 / $1 }
      print("\(name), run by run: \(range(ratios, digits: 2))")
    }
    ratio("numpy / order-compare, debiased", 1, 0)
    ratio("numpy / order-compare, wishart", 3, 2)
    ratio("ten orders / one", 5, 4)
    for (name, ours, theirs) in [("debiased", 0, 1), ("wishart", 2, 3)] {
      let difference = try Comparison(outputs[ours], outputs[theirs])
      print(
        "\(name): largest difference of any entropy \(difference.entropy) nats, of the totals \(difference.total), of the joint entropy \(difference.joint)"
      )
    }
    // m·D² for the products, and for each order D³/3 for its factorisation and m·D² for the pass over the images.
    let (products, factor) = (10_000 * 4608.0 * 4608, 4608.0 * 4608 * 4608 / 3)
    for (name, work, index) in [
      ("debiased", 3 * products + 2 * factor, 0), ("wishart", products + 2 * factor, 2),
    ] {
      print(
        "\(name): \(giga(work)) GFLOP at \(percent(work / seconds[index].median / peak)) of dsyrk's speed"
      )
    }
    print("")
    ratio("entropy-map / order-compare", 6, 0)
    print("")
    try compareWithRegressions(seconds[0].median)
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
