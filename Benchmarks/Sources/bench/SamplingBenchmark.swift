import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer

/// `par-sample` with the published size L and random weights against the speed of memory and a PyTorch peer.
struct SamplingBenchmark {
  let root: String
  let runs: Int
  let python: String
  let precisions: [WeightPrecision]

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

  /// What one run of a case gave: its time, how fast the weights were read for that, and how fast memory was read by
  /// itself just before or just after, whichever was faster.
  private struct Measurement {
    let seconds: Double
    let weightRate: Double
    let memoryRate: Double
  }

  func run() throws {
    let team = WorkerTeam()
    let parameters = PARPreset.large.configuration().streamedParameterCount
    // As large as the weights in single precision, so that no cache holds it, and in the same kind of pages.
    let columns = 1 << 12
    let memory = WeightMatrix(
      randomWithRows: parameters / columns, columns: columns, precision: .float32,
      standardDeviation: 1, seed: 0, team: team)
    var measurements: [Case: [Measurement]] = [:]
    var peers: [WeightPrecision: [Double]] = [:]
    print("par-sample --preset L, one image of 24x24 tokens, no guidance, \(team.workers) threads,")
    print("kernels \(WeightProduct.kernelName), \(parameters) parameters read in each forward pass")
    func memoryRate() -> Double {
      (0..<3).map { _ in team.readBandwidth(of: memory) }.max() ?? .nan
    }
    for _ in 0..<runs {
      for precision in precisions {
        for n in Self.tokensPerStep {
          let one = Case(precision: precision, tokensPerStep: n)
          let before = memoryRate()
          let timing = try sample(one)
          let bytes = Double(parameters * precision.byteCount * (timing.steps ?? 0))
          measurements[one, default: []].append(
            Measurement(
              seconds: timing.seconds, weightRate: bytes / timing.seconds,
              memoryRate: max(before, memoryRate())))
          // The peer meets n = 4 under the same conditions, so far as there are any.
          if n == 4 {
            do { peers[precision, default: []].append(try peer(precision)) } catch {
              FileHandle.standardError.write(Data("no time of PyTorch: \(error)\n".utf8))
            }
          }
        }
      }
    }
    for precision in precisions {
      print("")
      func of(_ n: Int) -> [Measurement] {
        measurements[Case(precision: precision, tokensPerStep: n)] ?? []
      }
      for n in Self.tokensPerStep {
        let rate = of(n).map(\.weightRate).median * 1e-9
        let memory = of(n).map(\.memoryRate).median * 1e-9
        let share = 100 * of(n).map { $0.weightRate / $0.memoryRate }.median
        print(
          "\(precision.rawValue) n = \(n): \(of(n).map(\.seconds).spread(2)) s; weights at"
            + " \(text(rate, 1)) GB/s, memory at \(text(memory, 1)): \(text(share, 0)) %")
      }
      for n in Self.tokensPerStep.dropFirst() {
        let ratios = zip(of(1), of(n)).map { $0.seconds / $1.seconds }
        print("\(precision.rawValue): time of n = 1 / time of n = \(n): \(ratios.spread(2))")
      }
      if let times = peers[precision], times.count == runs {
        let ratios = zip(times, of(4)).map { $0 / $1.seconds }
        print(
          "\(precision.rawValue): PyTorch, n = 4: \(times.spread(2)) s;"
            + " over par-sample: \(ratios.spread(2))")
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
}
