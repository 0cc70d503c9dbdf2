import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import TokenGrids

/// Steps of training a PAR transformer against the same steps in PyTorch, in turns.
struct TrainingBenchmark {
  let root: String
  let runs: Int
  let python: String

  /// One size of model and batch.
  private struct Size {
    let name: String
    let layers, heads, width, side, batch, steps: Int
  }

  private static let sizes = [
    Size(
      name: "large", layers: 6, heads: 8, width: 256, side: 16, batch: 16, steps: 6),
    Size(
      name: "small", layers: 4, heads: 4, width: 128, side: 12, batch: 32, steps: 12),
  ]
  private static let codes = 1024

  private struct Timing: Decodable {
    let seconds: [Double]
  }

  func run() throws {
    print("one training step in Float32, n = 4, \(Self.codes) codes, dropout 0.1, 2 threads;")
    print("BLAS core \(BLAS.coreName), kernels \(WeightProduct.kernelName)")
    for size in Self.sizes {
      var own: [Double] = []
      var peer: [Double] = []
      for _ in 0..<runs {
        own.append(try train(size).median)
        if let times = try? peerTimes(size) { peer.append(times.median) }
      }
      let tokens = Double(size.batch * size.side * size.side)
      print(
        "\n\(size.name): \(size.layers) layers of width \(size.width), \(size.heads) heads,"
          + " \(size.side)x\(size.side) tokens, batch \(size.batch)")
      print(
        "par-train: median \(text(own.median, 3)) s a step, \(text(tokens / own.median, 0)) tokens/s,"
          + " \(text(Double(size.batch) / own.median, 1)) images/s")
      guard peer.count == own.count else {
        print("PyTorch was not measured: \(python) needs torch")
        continue
      }
      let ratios = zip(peer, own).map { $0 / $1 }
      print(
        "PyTorch: median \(text(peer.median, 3)) s a step; ratio, run by run: median"
          + " \(text(ratios.median, 2)) (\(text(ratios.min() ?? .nan, 2)) to"
          + " \(text(ratios.max() ?? .nan, 2)))")
    }
  }

  /// The seconds of each step but the first, which also touches memory for the first time.
  private func train(_ size: Size) throws -> [Double] {
    let grid = TokenGrid(rows: size.side, columns: size.side)
    let tokens = try randomTokens(on: grid, images: 4 * size.batch, codes: Self.codes)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("training-benchmark-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var seconds: [Double] = []
    var last = DispatchTime.now().uptimeNanoseconds
    _ = try PARTraining.run(
      tokens: tokens, order: .raster(on: grid, tokensPerStep: 4), tokensPerStep: 4,
      settings: TrainingSettings(
        layers: size.layers, heads: size.heads, width: size.width, steps: size.steps + 1,
        batchSize: size.batch, validationImages: 0),
      directory: folder, resume: false, threads: 2, shouldStop: { false }
    ) { _ in
      let now = DispatchTime.now().uptimeNanoseconds
      seconds.append(Double(now - last) * 1e-9)
      last = now
    }
    return Array(seconds.dropFirst())
  }

  private func peerTimes(_ size: Size) throws -> [Double] {
    let process = WholeProcess(arguments: [
      python, "\(root)/Benchmarks/peers/par_train_peer.py", "--layers", "\(size.layers)", "--heads",
      "\(size.heads)", "--width", "\(size.width)", "--side", "\(size.side)", "--batch",
      "\(size.batch)", "--codes", "\(Self.codes)", "--steps", "\(size.steps)", "--threads", "2",
    ])
    return try JSONDecoder().decode(Timing.self, from: process.run().output).seconds
  }
}
