import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Statistics
import TokenData
import TokenGrids

/// The any-order transformer of the published size L against what the machine can do and a PyTorch peer, and its training
/// against the same steps in PyTorch, in turns.
struct AnyOrderBenchmark {
  let root: String
  let runs: Int
  let python: String
  let precisions: [WeightPrecision]
  let trains: Bool

  private static let order = "lpd:steps=20"

  /// What `par-sample --json` and the peer print of themselves.
  private struct Timing: Decodable {
    let seconds: Double
  }

  private struct PeerSteps: Decodable {
    let seconds: [Double]
  }

  func run() throws {
    let grid = TokenGrid(rows: 16, columns: 16)
    let steps = try OrderSpecification(Self.order).orders(on: grid)[0].steps.map(\.count)
    for precision in precisions { try sample(steps, precision) }
    if trains { try train(grid, steps: steps.count) }
  }

  // MARK: Sampling

  /// The least time of the products of all passes: each reads the weights once, or does its arithmetic at the speed of
  /// sgemm with large matrices, whichever takes longer.
  private func bound(_ groupSizes: [Int], precision: WeightPrecision, memory: Double, peak: Double)
    -> Double
  {
    let model = AnyOrderPreset.large.configuration
    let layers = Double(model.layers * 12 * model.width * model.width)
    let head = Double(model.codes * model.width)
    var previous = 1
    return groupSizes.reduce(0) { sum, size in
      defer { previous = size }
      let bytes = (layers + head) * Double(precision.byteCount)
      let work = 2 * (layers * Double(previous + size) + head * Double(size))
      return sum + max(bytes / memory, work / peak)
    }
  }

  private func sample(_ groupSizes: [Int], _ precision: WeightPrecision) throws {
    let team = WorkerTeam()
    let columns = 1 << 12
    let memory = WeightMatrix(
      randomWithRows: 1 << 16, columns: columns, precision: .float32, standardDeviation: 1, seed: 0,
      team: team)
    var own: [Double] = []
    var peer: [Double] = []
    var shares: [Double] = []
    var rates: [Double] = []
    var peaks: [Double] = []
    func machine() -> (memory: Double, peak: Double) {
      ((0..<3).map { _ in team.readBandwidth(of: memory) }.max() ?? .nan, sgemmPeak())
    }
    for _ in 0..<runs {
      let before = machine()
      let seconds = try timing([
        "\(root)/.build/release/par-sample", "--preset", AnyOrderPreset.large.rawValue,
        "--random-weights", "--grid", "16x16", "--order", Self.order, "--precision",
        precision.rawValue, "--json",
      ])
      let after = machine()
      let (rate, peak) = (max(before.memory, after.memory), max(before.peak, after.peak))
      own.append(seconds)
      rates.append(rate * 1e-9)
      peaks.append(peak * 1e-9)
      shares.append(
        100 * bound(groupSizes, precision: precision, memory: rate, peak: peak) / seconds)
      do {
        peer.append(
          try timing([
            python, "\(root)/Benchmarks/peers/any_order_peer.py", "sample", "--preset", "L",
            "--dtype", precision.rawValue, "--group-sizes",
            groupSizes.map(String.init).joined(separator: ","),
          ]))
      } catch {
        FileHandle.standardError.write(Data("no time of PyTorch: \(error)\n".utf8))
      }
    }
    print(
      "\n\(precision.rawValue): par-sample --preset LPD-L, one image of 16x16 tokens in"
        + " \(groupSizes.count) steps, no guidance, \(team.workers) threads, kernels"
        + " \(WeightProduct.kernelName)")
    print(
      "\(own.spread(2)) s; memory read at \(rates.spread(1)) GB/s, sgemm at \(peaks.spread(0))"
        + " GFLOP/s; share of what these allow: \(shares.spread(0)) %")
    guard peer.count == own.count else {
      print("PyTorch was not measured: \(python) needs torch and numpy")
      return
    }
    let ratios = zip(peer, own).map { $0 / $1 }
    print("PyTorch: \(peer.spread(2)) s; ratio, run by run: \(ratios.spread(2))")
  }

  private func timing(_ arguments: [String]) throws -> Double {
    try JSONDecoder().decode(Timing.self, from: WholeProcess(arguments: arguments).run().output)
      .seconds
  }

  /// The best speed of sgemm with square matrices, in floating-point operations a second.
  private func sgemmPeak(extent: Int = 1536, repetitions: Int = 4) -> Double {
    var generator = SeededGenerator(seed: 1)
    let a = FloatMatrix(
      rows: extent, columns: extent,
      elements: (0..<extent * extent).map { _ in Float(generator.nextUniform() - 0.5) })
    var c = FloatMatrix(
      rows: extent, columns: extent, elements: Array(repeating: 0, count: extent * extent))
    let clock = ContinuousClock()
    let seconds = (0..<repetitions).map { _ in
      let elapsed = clock.measure { c.setProduct(a, a, transposingSecond: true) }.components
      return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
    return 2 * Double(extent * extent * extent) / (seconds.min() ?? .nan)
  }

  // MARK: Training

  private func train(_ grid: TokenGrid, steps: Int) throws {
    let (batch, codes, timed) = (16, 1024, 6)
    var own: [Double] = []
    var peer: [Double] = []
    for _ in 0..<runs {
      own.append(
        try ownSteps(grid, batch: batch, codes: codes, timed: timed, orderSteps: steps).median)
      // As in half of the images of par-train: steps of equal size.
      let sizes = (0..<steps).map {
        grid.cellCount * ($0 + 1) / steps - grid.cellCount * $0 / steps
      }
      let process = WholeProcess(arguments: [
        python, "\(root)/Benchmarks/peers/any_order_peer.py", "train", "--batch", "\(batch)",
        "--codes", "\(codes)", "--steps", "\(timed)", "--group-sizes",
        sizes.map(String.init).joined(separator: ","),
      ])
      if let output = try? process.run().output {
        peer.append(try JSONDecoder().decode(PeerSteps.self, from: output).seconds.median)
      }
    }
    let tokens = Double(batch * grid.cellCount)
    print(
      "\none training step of an any-order model in Float32: 6 layers of width 256, 8 heads, \(grid)"
        + " tokens, batch \(batch), \(codes) codes, dropout 0.1, 2 threads")
    print("par-train: \(own.spread(3)) s a step, \(text(tokens / own.median, 0)) tokens/s")
    guard peer.count == own.count else {
      print("PyTorch was not measured: \(python) needs torch and numpy")
      return
    }
    let ratios = zip(peer, own).map { $0 / $1 }
    print("PyTorch: \(peer.spread(3)) s a step; ratio, run by run: \(ratios.spread(2))")
  }

  /// The seconds of each step but the first, which also touches memory for the first time.
  private func ownSteps(
    _ grid: TokenGrid, batch: Int, codes: Int, timed: Int, orderSteps: Int
  ) throws -> [Double] {
    let tokens = try randomTokens(on: grid, images: 4 * batch, codes: codes)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("any-order-benchmark-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var seconds: [Double] = []
    var last = DispatchTime.now().uptimeNanoseconds
    _ = try AnyOrderTraining.run(
      tokens: tokens,
      orders: OrderMixture("random", on: grid, steps: orderSteps...orderSteps),
      settings: TrainingSettings(
        layers: 6, heads: 8, width: 256, steps: timed + 1, batchSize: batch, validationImages: 0),
      directory: folder, resume: false, threads: 2, shouldStop: { false },
      progress: { _ in
        let now = DispatchTime.now().uptimeNanoseconds
        seconds.append(Double(now - last) * 1e-9)
        last = now
      })
    return Array(seconds.dropFirst())
  }
}

/// Images of independent codes with labels of six classes.
func randomTokens(on grid: TokenGrid, images: Int, codes: Int) throws -> TokenDataset {
  var generator = SeededGenerator(seed: 0)
  return try TokenDataset(
    name: "random", grid: grid,
    tokens: .codes(
      (0..<images * grid.cellCount).map { _ in UInt32(generator.nextIndex(below: codes)) },
      codebook: FloatMatrix(rows: codes, columns: 1, elements: (0..<codes).map { Float($0) })),
    labels: TokenLabels(values: (0..<images).map { UInt32($0 % 6) }))
}
