import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import Testing
import TokenData
import TokenGrids

@testable import PARTransformer

@discardableResult
private func train(
  in folder: String, orders: String = "random:0.5,raster",
  settings: TrainingSettings = tinySettings(),
  resume: Bool = false, threads: Int = 2, stopAfter: Int = .max
) throws -> AnyOrderTraining.Outcome {
  let tokens = try trainingTokens()
  var steps = 0
  return try AnyOrderTraining.run(
    tokens: tokens, named: "tiny.h5", orders: OrderMixture(orders, on: tokens.grid, steps: 2...9),
    settings: settings, directory: folder, resume: resume, threads: threads,
    shouldStop: { steps >= stopAfter }, progress: { _ in steps += 1 })
}

@Suite struct AnyOrderTrainingTests {
  /// A run that is stopped and goes on, on another number of threads and with what its checkpoint says, ends with the same
  /// bits.
  @Test func aResumedRunEndsWithTheSameBits() throws {
    try withTrainingFolder { whole in
      try withTrainingFolder { parts in
        let outcome = try train(in: whole)
        #expect(outcome.training.finished && outcome.training.history.count == 8)
        // A head of zeros knows nothing.
        #expect(abs(outcome.training.history[0].loss - log(12)) < 1e-4)
        #expect(try train(in: parts, stopAfter: 3).training.step == 3)
        let resumed = try #require(try AnyOrderTraining.resumed(in: parts))
        #expect(resumed.tokens == "tiny.h5" && resumed.settings == tinySettings())
        #expect(resumed.orders.description == "random:0.5,raster:0.5")
        let again = try AnyOrderTraining.run(
          tokens: trainingTokens(), orders: resumed.orders, settings: resumed.settings,
          directory: parts, resume: true, threads: 1, shouldStop: { false }, progress: { _ in })
        #expect(again.training.history == outcome.training.history)
        #expect(again.lossByKnownTokens.map(\.loss) == outcome.lossByKnownTokens.map(\.loss))
        let files = try [whole, parts].map {
          try SafetensorsFile(path: $0 + "/" + PARTraining.modelName)
        }
        for name in files[0].entries.keys {
          #expect(try files[0].floats(name) == files[1].floats(name), "\(name)")
        }
        #expect(throws: TrainingError.self) {
          try train(in: parts, orders: "raster", resume: true)
        }
        // The model, its checkpoint and the folder load alike.
        for path in [whole, whole + "/" + PARTraining.checkpointName] {
          let tensors = try AnyOrderTensors(TrainedModel.tensors(of: path))
          #expect(tensors.configuration.heads == 2 && tensors.configuration.classes == 3)
        }
      }
    }
  }

  /// Tokens that repeat their left neighbour half of the time: the model learns it, and then knows that drawing neighbours
  /// together costs most and drawing them one by one nothing.
  @Test func aTrainedModelKnowsWhatParallelDrawingCosts() throws {
    try withTrainingFolder { folder in
      let tokens = try trainingTokens(rows: 2, columns: 3, codes: 4, images: 400)
      let settings = tinySettings {
        ($0.steps, $0.batchSize, $0.width, $0.validationImages) = (500, 32, 32, 100)
        ($0.dropout, $0.labelDropout, $0.validationInterval) = (0, 0, 500)
      }
      let outcome = try AnyOrderTraining.run(
        tokens: tokens, orders: OrderMixture("random", on: tokens.grid, steps: 1...6),
        settings: settings, directory: folder, resume: false, shouldStop: { false },
        progress: { _ in })
      let curve = outcome.lossByKnownTokens
      #expect(curve.first?.fewest == 0 && curve.map(\.tokens).reduce(0, +) == 600)
      #expect(curve[curve.count - 1].loss < curve[0].loss - 0.1)
      #expect(curve.allSatisfy { $0.standardError > 0 && $0.standardError < 0.2 })
      let orders = try [
        [[0, 1, 2, 3, 4, 5]], [[0, 2, 3, 5], [1, 4]], [[0], [1], [2], [3], [4], [5]],
      ].map { try GenerationOrder(name: "test", grid: tokens.grid, steps: $0) }
      let likelihood = try AnyOrderLikelihood(model: folder, tokens: tokens, orders: orders)
      #expect(likelihood.isHeldOut && likelihood.imageCount == 100)
      let lost = likelihood.orders.map(\.total.mean)
      // Entropy: ln 4 of a first token; a token equal to its neighbour with 5/8, else any of three with 1/8.
      let pair = log(4.0) + 5.0 / 8 * log(5.0 / 8) + 3.0 / 8 * log(1.0 / 8)
      #expect(abs(lost[0] - 4 * pair) < 0.35 * 4 * pair, "\(lost)")
      #expect(lost[1] < 0.6 * lost[0] && abs(lost[2]) < 1e-4, "\(lost)")
      for order in likelihood.orders {
        #expect(abs(order.lost.map(\.mean).reduce(0, +) - order.total.mean) < 1e-6)
        #expect(abs(order.lostByStep.map(\.mean).reduce(0, +) - order.total.mean) < 1e-6)
        let totals = order.parallelTotal.mean - order.sequentialTotal.mean
        #expect(abs(totals - order.total.mean) < 1e-6)
      }
      #expect(likelihood.orders[0].total.standardError > 0)
    }
  }
}

@Suite struct OrderMixtureTests {
  private let grid = TokenGrid(rows: 4, columns: 6)

  @Test func mixturesAreRead() throws {
    let mixture = try OrderMixture(
      "random:0.5,raster,halton:schedule=cosine,steps=9:0.1,lpd:steps=6,seed=3", on: grid)
    #expect(
      mixture.entries.map(\.name)
        == ["random", "raster", "halton:schedule=cosine,steps=9", "lpd:steps=6,seed=3"])
    for (entry, share) in zip(mixture.entries, [0.5, 0.2, 0.1, 0.2]) {
      #expect(abs(entry.share - share) < 1e-12)
    }
    #expect(mixture.entries[0].sequences.isEmpty && mixture.entries[1].sequences == [Array(0..<24)])
    #expect(mixture.fewestSteps == 1 && mixture.mostSteps == 6)
  }

  @Test(arguments: [
    ("", "\"\""), ("raster,", "separated by commas"), ("raster:0.7,halton:0.7", "1.4 in all"),
    ("raster:0.4", "0.4 in all"), ("random:1,raster", "less than 1"), ("rastr", "rastr"),
    ("raster:1.5", "share of raster is 1.5"),
  ])
  func faultyMixturesAreNamed(text: String, message: String) {
    #expect {
      try OrderMixture(text, on: grid)
    } throws: {
      "\($0)".contains(message)
    }
  }

  @Test func drawsArePartitionsOfTheSharesAsked() throws {
    let mixture = try OrderMixture("random:0.5,raster:0.25,halton", on: grid, steps: 3...7)
    var counts = [0, 0, 0]
    var steps: Set<Int> = []
    for stream in 0..<2000 {
      var generator = SeededGenerator(seed: 1, stream: UInt64(stream))
      let drawn = mixture.draw(cells: 24, using: &generator)
      counts[drawn.entry] += 1
      steps.insert(drawn.groupSizes.count)
      #expect(drawn.cells.sorted() == Array(0..<24))
      #expect(drawn.groupSizes.allSatisfy { $0 > 0 } && drawn.groupSizes.reduce(0, +) == 24)
    }
    #expect(steps == [3, 4, 5, 6, 7])
    // Four standard deviations of a share of 2000 draws are below 0.045.
    for (count, share) in zip(counts, [0.5, 0.25, 0.25]) {
      #expect(abs(Double(count) / 2000 - share) < 0.045)
    }
    #expect(OrderMixture.groupSizes(of: 24, steps: 5, exponent: 1) == [4, 5, 5, 5, 5])
  }
}
