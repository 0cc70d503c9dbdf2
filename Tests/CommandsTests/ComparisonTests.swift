import ArgumentParser
import Experiments
import Foundation
import PARTransformer
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import Commands

/// Stages that train nothing: models are files of a word, samples are real images with some codes drawn anew, more of them
/// the more tokens are drawn together and the nearer they are.
private final class FakeStages {
  var trainings: [String] = []
  var parts: [String] = []
  /// How often the user is asked before the answer is to stop.
  var patience = Int.max
  private let real: TokenDataset

  init(_ real: TokenDataset) { self.real = real }

  var shouldStop: () -> Bool {
    {
      self.patience -= 1
      return self.patience < 0
    }
  }

  var stages: ComparisonStages {
    ComparisonStages(
      train: { tokens, configuration, settings, folder, shouldStop, _ in
        guard !shouldStop() else { return .init(finished: false, validationLoss: nil, seconds: 1) }
        self.trainings.append("\(configuration.name) \(settings.seed)")
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true)
        try Data("model".utf8).write(
          to: URL(fileURLWithPath: folder + "/" + PARTraining.modelName))
        return .init(finished: true, validationLoss: 5 + Double(settings.seed), seconds: 1)
      },
      sample: { configuration, options, labels, _, progress in
        self.parts.append("\(configuration.name) \(options.seed)")
        let share = configuration.name.hasPrefix("raster") ? 0.5 : 0.1
        var generator = SeededGenerator(seed: options.seed)
        progress(labels.count)
        let codes = self.real.codes ?? []
        return labels.indices.map { _ in
          let image = generator.nextIndex(below: self.real.imageCount)
          return codes[image * 36..<(image + 1) * 36].map { code in
            let other = generator.nextIndex(below: 64)
            return generator.nextUniform() < share ? other : Int(code)
          }
        }
      })
  }
}

private struct Result: Decodable {
  struct Order: Decodable {
    struct Seed: Decodable {
      let seed: UInt64
      let negative_log_likelihood: Double
      let proxies: [String: Double]
      let folder: String
    }
    let name, attention: String
    let steps, tokens_per_step: Int
    let total_increase, negative_log_likelihood: Double
    let proxies, standard_deviations: [String: Double]
    let paper_fid: Double?
    let seeds: [Seed]
  }
  struct Correlation: Decodable {
    let configurations: Int
    let spearman: [String: Double?]
  }
  let orders: [Order]
  let noise_floor: [String: Double]
  let noise_floor_missing: String?
  let rank_correlation: Correlation
  let training_images, reference_images: Int
}

/// A dataset's file and a folder for results, for the time of `body`.
private func withComparison(
  _ body: (_ stages: FakeStages, _ run: ([String]) throws -> Result, _ folder: String) throws
    -> Void
) throws {
  let dataset = try smallDataset(images: 300)
  try withFile(dataset) { path in
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/out"
    let stages = FakeStages(dataset)
    try body(
      stages,
      { arguments in
        let command = try FidCompareRun.parse(
          ["--architecture", "par"] + arguments + [
            "--tokens", path, "--output-dir", folder, "--no-figure",
          ])
        var table = ""
        try command.run(stages: stages.stages, shouldStop: stages.shouldStop) { table = $0 }
        #expect(table.contains("real against real") && table.contains("paper's FID"))
        return try JSONDecoder().decode(
          Result.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/fid-compare.json")))
      }, folder)
  }
}

/// Equal but for rounding: BLAS adds in another order where numbers lie elsewhere in memory.
private func agree(_ a: [[String: Double]], _ b: [[String: Double]]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { x, y in
      x.keys == y.keys && x.allSatisfy { abs($0.value - (y[$0.key] ?? .nan)) < 1e-9 }
    }
}

@Suite struct ComparisonTests {
  private let arguments = [
    "raster", "distant", "distant+one", "--samples", "150", "--seeds", "2", "--neighbors", "3",
  ]

  @Test func everythingIsMeasuredOnce() throws {
    try withComparison { stages, run, folder in
      let first = try run(arguments)
      #expect(
        stages.trainings == [
          "raster 0", "raster 1", "distant 0", "distant 1", "distant+one 0", "distant+one 1",
        ])
      #expect(stages.parts.count == 6)
      #expect(first.training_images == 150 && first.reference_images == 150)
      #expect(first.orders.map(\.name) == ["raster", "distant", "distant+one"])
      #expect(first.orders.map(\.tokens_per_step) == [4, 4, 1])
      #expect(first.orders.map(\.paper_fid) == [5.64, 2.61, 2.64])
      #expect(first.orders[0].total_increase > first.orders[1].total_increase)
      #expect(first.orders[2].total_increase == 0)
      for order in first.orders {
        #expect(order.negative_log_likelihood == 5.5 && order.seeds.map(\.seed) == [0, 1])
        for key in ["fd_structure", "fd_corrected_texture", "kid_texture", "dependency_maps"] {
          let values = order.seeds.compactMap { $0.proxies[key] }
          #expect(values.count == 2 && values[0] != values[1])
          #expect(abs((order.proxies[key] ?? .nan) - (values[0] + values[1]) / 2) < 1e-12)
          // The deviation of two numbers.
          let deviation = abs(values[0] - values[1]) / 2.0.squareRoot()
          #expect(abs((order.standard_deviations[key] ?? .nan) - deviation) < 1e-12)
        }
      }
      // Corruption of half the codes is seen by every proxy, and the floor lies below.
      for key in [
        "fd_infinity_structure", "fd_corrected_structure", "fd_corrected_texture",
        "dependency_maps",
      ] {
        let values = first.orders.map { $0.proxies[key] ?? .nan }
        #expect(values[0] > values[1] && values[0] > values[2])
        #expect((first.noise_floor[key] ?? .nan) < values[0])
      }
      #expect(first.rank_correlation.configurations == 3)
      #expect((first.rank_correlation.spearman["fd_corrected_texture"] ?? nil) != nil)
      let (trainings, parts) = (stages.trainings.count, stages.parts.count)
      let second = try run(arguments)
      #expect(stages.trainings.count == trainings && stages.parts.count == parts)
      #expect(agree(second.orders.map(\.proxies), first.orders.map(\.proxies)))
      // More samples: the models are there, the samples are new.
      let more = try run(arguments.map { $0 == "150" ? "310" : $0 })
      #expect(stages.trainings.count == trainings && stages.parts.count > parts)
      // There are no 310 real images of the training half: what depends on the number has no floor.
      #expect(
        more.noise_floor["fd_infinity_texture"] != nil && more.noise_floor["kid_texture"] != nil)
      #expect(
        more.noise_floor["fd_corrected_texture"] == nil
          && more.noise_floor["dependency_maps"] == nil)
      #expect(more.noise_floor_missing?.contains("310") == true && first.noise_floor_missing == nil)
      // Other models: everything is new.
      _ = try run(arguments + ["--steps", "7"])
      #expect(stages.trainings.count == 2 * trainings)
      #expect(FileManager.default.fileExists(atPath: folder + "/runs"))
    }
  }

  /// Stopped at every place it can be stopped at, the comparison ends with the same numbers.
  @Test func aStoppedComparisonGoesOn() throws {
    let arguments = [
      "raster", "distant", "--samples", "300", "--seeds", "1", "--extractor", "structure",
    ]
    var expected: [[String: Double]] = []
    try withComparison { _, run, _ in expected = try run(arguments).orders.map(\.proxies) }
    try withComparison { stages, run, folder in
      var stops = 0
      while stops < 40 {
        stages.patience = 2
        do {
          let result = try run(arguments)
          #expect(agree(result.orders.map(\.proxies), expected))
          break
        } catch let code as ExitCode {
          #expect(code.rawValue == 130)
          #expect(!FileManager.default.fileExists(atPath: folder + "/fid-compare.json"))
          stops += 1
        }
      }
      #expect(stops >= 2 && stops < 40)
      // Nothing was done twice.
      #expect(stages.trainings.count == 2 && stages.parts.count == 4)
    }
  }

  /// What a power failure may leave: a part that is no file of tokens, a record that is no JSON.
  @Test func damagedPiecesAreMadeAgain() throws {
    try withComparison { stages, run, folder in
      let arguments = [
        "distant", "--samples", "300", "--seeds", "1", "--extractor", "structure",
      ]
      let whole = try run(arguments)
      let runFolder = try #require(whole.orders.first?.seeds.first?.folder)
      for file in try FileManager.default.contentsOfDirectory(atPath: runFolder)
      where file.hasPrefix("samples-") || file.hasPrefix("metrics-") {
        try Data("half".utf8).write(to: URL(fileURLWithPath: runFolder + "/" + file))
      }
      let again = try run(arguments)
      #expect(agree(again.orders.map(\.proxies), whole.orders.map(\.proxies)))
      #expect(stages.trainings.count == 1 && stages.parts.count == 4)
    }
  }

  @Test(arguments: [
    ["--samples", "5"], ["--seeds", "0"], ["--width", "0"], ["--guidance", "-1"],
    ["--no-figure", "--figure-format", "png"],
  ])
  func badOptionsAreRefused(arguments: [String]) {
    #expect(throws: (any Error).self) { try FidCompareRun.parse(["distant"] + arguments) }
  }
}

/// The whole way with real models, as small as they can be.
@Test func aComparisonWithRealModels() throws {
  let dataset = try smallDataset(images: 200)
  try withFile(dataset) { path in
    let result = try Program(name: "fid-compare").run([
      "raster", "distant+causal", "--architecture", "par", "--tokens", path, "--layers", "1",
      "--heads", "1", "--width",
      "8", "--steps", "3", "--batch-size", "4", "--samples", "20", "--seeds", "1",
      "--output-dir", "out", "--json", "--no-figure",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let output = try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
    #expect(output.orders.map(\.attention) == ["groupwise", "causal"])
    #expect(output.orders.allSatisfy { $0.negative_log_likelihood.isFinite })
    #expect(output.orders.allSatisfy { $0.proxies["fd_structure"] != nil })
    #expect(result.files == ["out"])
  }
}
