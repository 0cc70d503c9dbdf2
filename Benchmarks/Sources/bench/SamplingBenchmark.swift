import Foundation
import LinearAlgebra
import PARTransformer

/// `par-sample` with the published size L and random weights against the speed of memory and a PyTorch peer.
struct SamplingBenchmark {
  let root: String
  let runs: Int
  let python: String

  private static let tokensPerStep = [1, 4, 16]

  /// What is compared: one image with a precision and a number of tokens per step.
  private struct Case: Hashable {
    let precision: WeightPrecision
    let tokensPerStep: Int
  }

  /// What `par-sample --json` and the peer print of themselves; the peer knows no number of steps.
  private struct Timing: Decodable {
    let seconds: Double
    let steps: Int?
  }

  func run() throws {
    let team = WorkerTeam()
    // As large as the weights in single precision, so that no cache holds it.
    let parameters = PARPreset.large.configuration().streamedParameterCount
    let memory = FloatBuffer(count: parameters)
    // Pages that nobody has written to may all be one page of zeros, which a cache holds.
    memory.clear()
    var bandwidths: [Double] = []
    var seconds: [Case: [Double]] = [:]
    var peers: [WeightPrecision: [Double]] = [:]
    var steps: [Int: Int] = [:]
    let cases = WeightPrecision.allCases.flatMap { precision in
      Self.tokensPerStep.map { Case(precision: precision, tokensPerStep: $0) }
    }
    print("par-sample --preset L, one image of 24x24 tokens, no guidance, \(team.workers) threads,")
    print("kernels \(SkinnyMatrix.kernelName), \(parameters) parameters read in each forward pass")
    for _ in 0..<runs {
      for one in cases {
        bandwidths += (0..<3).map { _ in team.readBandwidth(of: memory) }
        let timing = try sample(one)
        seconds[one, default: []].append(timing.seconds)
        steps[one.tokensPerStep] = timing.steps
      }
      for precision in WeightPrecision.allCases {
        guard let time = try? peer(precision) else { continue }
        peers[precision, default: []].append(time)
      }
    }
    let bandwidth = bandwidths.max() ?? .nan
    print(
      "memory is read at \(text(bandwidth * 1e-9, 1)) GB/s, the best of \(bandwidths.count) times\n"
    )
    for one in cases {
      let time = (seconds[one] ?? []).median
      let bytes = Double(parameters * one.precision.byteCount * (steps[one.tokensPerStep] ?? 0))
      print(
        "\(one.precision.rawValue) n = \(one.tokensPerStep): \(steps[one.tokensPerStep] ?? 0) passes,"
          + " median \(text(time, 2)) s, weights at \(text(bytes / time * 1e-9, 1)) GB/s,"
          + " \(text(100 * bytes / time / bandwidth, 0)) % of the memory's speed")
    }
    print("")
    for precision in WeightPrecision.allCases {
      func times(_ n: Int) -> [Double] {
        seconds[Case(precision: precision, tokensPerStep: n)] ?? []
      }
      for n in Self.tokensPerStep.dropFirst() {
        print(
          "\(precision.rawValue): time of n = 1 / time of n = \(n): \(ratio(times(1), times(n)))")
      }
      if let peer = peers[precision] {
        print(
          "\(precision.rawValue): PyTorch, n = 4: median \(text(peer.median, 2)) s;"
            + " over par-sample: \(ratio(peer, times(4)))")
      } else {
        print("\(precision.rawValue): PyTorch was not measured: \(python) needs torch and numpy")
      }
    }
  }

  private func sample(_ one: Case) throws -> Timing {
    let process = WholeProcess(arguments: [
      "\(root)/.build/release/par-sample", "--preset", "L", "--random-weights", "--precision",
      one.precision.rawValue, "--tokens-per-step", "\(one.tokensPerStep)", "--json",
    ])
    return try JSONDecoder().decode(Timing.self, from: process.run().output)
  }

  private func peer(_ precision: WeightPrecision) throws -> Double {
    let process = WholeProcess(arguments: [
      python, "\(root)/Benchmarks/peers/par_peer.py", "--preset", "L", "--tokens-per-step", "4",
      "--dtype", precision.rawValue,
    ])
    return try JSONDecoder().decode(Timing.self, from: process.run().output).seconds
  }

  /// The median of the ratios, run by run.
  private func ratio(_ a: [Double], _ b: [Double]) -> String {
    text(zip(a, b).map { $0 / $1 }.median, 2)
  }

  private func text(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
