import FileFormats
import Foundation
import GenerationMetrics
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// The Fréchet distance at 2,048 dimensions against `scipy.linalg.sqrtm`, in turns.
struct MetricsBenchmark {
  let root: String
  let runs: Int
  let python: String

  private static let dimensions = 2048
  private static let samples = 5000

  func run() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("frechet-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let statistics = [1, 2].map(Self.statistics)
    let paths = try statistics.enumerated().map { index, one in
      let path = folder.appendingPathComponent("\(index).npz").path
      try one.write(npz: path)
      return path
    }
    let peer = try FrechetPeer(
      python: python, script: "\(root)/Benchmarks/peers/frechet_peer.py", arguments: paths)
    print("BLAS core \(BLAS.coreName), \(BLAS.threads) threads; \(peer.greeting)")
    print("\(Self.dimensions) dimensions, covariances of \(Self.samples) samples each\n")
    var times: [String: [Double]] = [:]
    var distances: [String: Double] = [:]
    for _ in 0..<runs {
      let gaussians = try paths.map { FeatureGaussian(try FeatureStatistics(npz: $0)) }
      let clock = ContinuousClock()
      var value = 0.0
      let elapsed = try clock.measure {
        value = try FrechetDistance(gaussians[0], gaussians[1]).value
      }.components
      times["token-entropy", default: []].append(
        Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
      distances["token-entropy"] = value
      for method in ["sqrtm", "eigvals"] {
        let answer = try peer.ask(method)
        times[method, default: []].append(answer.seconds)
        distances[method] = answer.distance
      }
    }
    let own = times["token-entropy"] ?? []
    print(
      "FrechetDistance: median \(text(own.median, 3)) s, distance \(distances["token-entropy"] ?? .nan)"
    )
    for method in ["sqrtm", "eigvals"] {
      let theirs = times[method] ?? []
      let ratio = zip(theirs, own).map { $0 / $1 }
      let (a, b) = (distances[method] ?? .nan, distances["token-entropy"] ?? .nan)
      print(
        "scipy.linalg.\(method): median \(text(theirs.median, 3)) s, distance \(a),"
          + " relative difference \(String(format: "%.1e", abs(a - b) / abs(a)));"
          + " time over FrechetDistance's, run by run: median \(text(ratio.median, 1))"
          + " (\(text(ratio.min() ?? .nan, 1)) to \(text(ratio.max() ?? .nan, 1)))")
    }
  }

  /// Statistics of samples whose variances fall off as those of network features do, in directions of their own.
  private static func statistics(_ seed: Int) -> FeatureStatistics {
    var generator = SeededGenerator(seed: UInt64(seed))
    func normals(_ rows: Int, _ columns: Int) -> Matrix {
      var elements: [Double] = []
      elements.reserveCapacity(rows * columns)
      for _ in 0..<rows * columns / 2 {
        let radius = (-2 * log(1 - generator.nextUniform())).squareRoot()
        let angle = 2 * Double.pi * generator.nextUniform()
        elements += [radius * cos(angle), radius * sin(angle)]
      }
      return Matrix(rows: rows, columns: columns, elements: elements)
    }
    var latent = normals(samples, dimensions)
    for i in 0..<samples {
      for j in 0..<dimensions { latent[i, j] *= 1 / Double(1 + j) + 0.02 }
    }
    let mixing = normals(dimensions, dimensions)
    return FeatureGaussian(samples: latent.times(mixing)).statistics
  }
}

/// The program that answers with seconds and a distance.
private final class FrechetPeer {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private(set) var greeting = ""

  init(python: String, script: String, arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["-u", "OPENBLAS_CORETYPE", python, script] + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    greeting = try line()
  }

  deinit { input.fileHandleForWriting.closeFile() }

  func ask(_ method: String) throws -> (seconds: Double, distance: Double) {
    input.fileHandleForWriting.write(Data("\(method)\n".utf8))
    let words = try line().split(separator: " ").compactMap { Double($0) }
    guard words.count == 2 else {
      throw WholeProcess.Failure(description: "frechet_peer.py gave no answer to \(method)")
    }
    return (words[0], words[1])
  }

  private func line() throws -> String {
    var bytes = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.first != 10 {
      guard !byte.isEmpty else {
        throw WholeProcess.Failure(
          description: "frechet_peer.py ended: it needs python3 with numpy and scipy")
      }
      bytes += byte
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
