import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

@testable import PARTransformer

/// A dataset of random codes on a small grid, in which each token often repeats its left neighbour.
func trainingTokens(
  rows: Int = 4, columns: Int = 4, codes: Int = 12, images: Int = 32, labelled: Bool = true,
  seed: UInt64 = 5, imageIDs: [UInt32]? = nil
) throws -> TokenDataset {
  var generator = SeededGenerator(seed: seed)
  var values: [UInt32] = []
  for place in 0..<images * rows * columns {
    let repeats = place % columns > 0 && generator.nextUniform() < 0.5
    values.append(repeats ? values[place - 1] : UInt32(generator.nextIndex(below: codes)))
  }
  return try TokenDataset(
    name: "tiny.h5", grid: TokenGrid(rows: rows, columns: columns),
    tokens: .codes(
      values,
      codebook: FloatMatrix(rows: codes, columns: 1, elements: (0..<codes).map { Float($0) })),
    labels: labelled ? TokenLabels(values: (0..<images).map { UInt32($0 % 3) }) : nil,
    imageIDs: imageIDs)
}

/// Settings of a model that learns in a moment.
func tinySettings(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
  var settings = TrainingSettings(
    layers: 1, heads: 2, width: 16, steps: 8, batchSize: 6, learningRate: 1e-2, seed: 3,
    validationImages: 4, validationInterval: 4)
  change(&settings)
  return settings
}

/// An order of single cells and then groups, in a fixed random sequence.
func shuffledOrder(
  on grid: TokenGrid, tokensPerStep n: Int, singles: Int? = nil
) throws -> GenerationOrder {
  var cells = Array(0..<grid.cellCount)
  var generator = SeededGenerator(seed: 11)
  generator.shuffle(&cells)
  return try GoldenSet.order(cells, tokensPerStep: n, grid: grid, singles: singles)
}

@discardableResult
func withTrainingFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("training-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs a training of ``trainingTokens()``; `stopAfter` steps of this call it is told to stop.
@discardableResult
func train(
  in folder: String, tokens: TokenDataset? = nil, order: GenerationOrder? = nil,
  tokensPerStep: Int = 2, attention: AttentionPattern = .groupwise,
  settings: TrainingSettings = tinySettings(), resume: Bool = false, threads: Int = 2,
  stopAfter: Int = .max
) throws -> TrainingOutcome {
  let tokens = try tokens ?? trainingTokens()
  let order = try order ?? shuffledOrder(on: tokens.grid, tokensPerStep: tokensPerStep)
  var steps = 0
  return try PARTraining.run(
    tokens: tokens, order: order, tokensPerStep: tokensPerStep, attention: attention,
    settings: settings, directory: folder, resume: resume, threads: threads,
    shouldStop: { steps >= stopAfter }, progress: { _ in steps += 1 })
}
