import FileFormats
import Foundation
import LinearAlgebra
import Testing
import TokenData
import TokenGrids

@testable import PARTransformer

private func bytes(_ path: String) throws -> Data {
  try Data(contentsOf: URL(fileURLWithPath: path))
}

/// Thirty-two images of random tokens can only be known by heart: from ln 12 = 2.48 nats to next to none.
@Test func aTinyModelLearnsImagesByHeart() throws {
  try withTrainingFolder { folder in
    let outcome = try train(
      in: folder,
      settings: tinySettings {
        ($0.layers, $0.heads, $0.width) = (2, 4, 64)
        ($0.steps, $0.batchSize, $0.learningRate) = (260, 32, 5e-3)
        ($0.dropout, $0.labelDropout, $0.weightDecay, $0.validationImages) = (0, 0, 0, 0)
      })
    #expect(outcome.finished && outcome.step == 260 && outcome.validationLoss == nil)
    let (first, last) = (try #require(outcome.history.first), try #require(outcome.history.last))
    #expect(abs(first.loss - log(12)) < 1e-4)
    // The first tokens of images of one class differ by chance; those the model cannot know.
    #expect(last.loss < 0.25, "\(last.loss)")
  }
}

/// Stopped twice, resumed with another number of threads: the same bits as without a pause.
@Test func aResumedRunEndsWithTheSameBits() throws {
  try withTrainingFolder { folder in
    let whole = try train(in: folder + "/whole")
    #expect(whole.finished && whole.history.count == 8)
    let parts = folder + "/parts"
    let first = try train(in: parts, stopAfter: 3)
    #expect(!first.finished && first.step == 3)
    #expect(!FileManager.default.fileExists(atPath: first.model))
    let second = try train(in: parts, resume: true, threads: 1, stopAfter: 2)
    #expect(!second.finished && second.step == 5)
    let third = try train(in: parts, resume: true, threads: 3)
    #expect(third.finished && third.history == whole.history)
    #expect(try bytes(whole.model) == bytes(third.model))
    for name in [PARTraining.checkpointName, PARTraining.lossName] {
      #expect(try bytes(folder + "/whole/" + name) == bytes(parts + "/" + name))
    }
    // A finished run has nothing left to do.
    let again = try train(in: parts, resume: true)
    #expect(again.finished && again.history == whole.history)
  }
}

/// Tokens without codes, and a model measured on tokens of another kind, are refused; nothing is written.
@Test func tokensOfAnotherKindAreRefused() throws {
  try withTrainingFolder { folder in
    let features = try TokenDataset(
      name: "features.h5", grid: TokenGrid(rows: 1, columns: 2),
      tokens: .features([0, 1, 2, 3], dimensions: 1))
    #expect(throws: TrainingError.noCodes(dataset: "features.h5")) {
      try train(in: folder, tokens: features, tokensPerStep: 1)
    }
    #expect(!FileManager.default.fileExists(atPath: folder))
    let model = try train(in: folder).model
    for (tokens, what) in [
      (try trainingTokens(rows: 2), "its grid is 2x4"),
      (try trainingTokens(codes: 13), "its number of codes is 13"),
    ] {
      let error = #expect(throws: TrainingError.self) {
        _ = try PositionLikelihood(model: model, tokens: tokens)
      }
      #expect("\(try #require(error))".contains(what))
    }
    // Other images of the same codebook are measured, all of them.
    let others = try PositionLikelihood(model: model, tokens: trainingTokens(images: 9, seed: 8))
    #expect(!others.isHeldOut && others.imageCount == 9)
  }
}

/// Numbers of a checkpoint that somebody edited are told; no shard, step or loss is believed.
@Test func editedCheckpointsAreNamed() throws {
  try withTrainingFolder { folder in
    try train(in: folder, stopAfter: 2)
    let path = folder + "/" + PARTraining.checkpointName
    let whole = try bytes(path)
    func message(_ edits: (String, String)...) throws -> String {
      let length = whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      var header = try #require(String(data: whole.dropFirst(8).prefix(length), encoding: .utf8))
      for (from, to) in edits {
        #expect(header.contains(from), "\(from)")
        header = header.replacingOccurrences(of: from, with: to)
      }
      let count = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      try (count + Data(header.utf8) + whole.dropFirst(8 + length))
        .write(to: URL(fileURLWithPath: path))
      do {
        _ = try train(in: folder, resume: true, stopAfter: 0)
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(try message() == "no error")
    for shards in ["0", "-1", "1000000000", "9223372036854775807"] {
      let text = try message((#"\"shards\":2"#, #"\"shards\":\#(shards)"#))
      #expect(
        text.hasPrefix(path) && text.contains("its shards are \(shards); 1 to the batch size 6"),
        "\(text)")
    }
    for step in ["-5", "9", "4611686018427387904"] {
      let text = try message((#"\"step\":2}"#, #"\"step\":\#(step)}"#))
      #expect(
        text.hasPrefix(path) && text.contains("its step is \(step); 0 to 8 is expected"), "\(text)")
    }
    for (from, to) in [
      (#"\"lossCount\":0"#, #"\"lossCount\":9223372036854775807"#),
      (#"\"step\":1}"#, #"\"step\":4611686018427387904}"#),
      (#"\"step\":1}"#, #"\"step\":-1}"#),
    ] {
      #expect(try message((from, to)).contains("its losses are of other steps than the 2"), "\(to)")
    }
    #expect(try message((#"\"shards\":2"#, #"\"shards\":1e30"#)).contains("its state is not what"))
  }
}

@Test func anotherSeedIsAnotherRun() throws {
  try withTrainingFolder { folder in
    let one = try train(in: folder + "/1")
    let other = try train(in: folder + "/2", settings: tinySettings { $0.seed = 4 })
    #expect(one.history != other.history)
  }
}

/// What a killed run leaves of a checkpoint it was writing is beside the one before, which stays as it was.
@Test func aHalfWrittenCheckpointHarmsNothing() throws {
  try withTrainingFolder { folder in
    let whole = try train(in: folder + "/whole")
    let parts = folder + "/parts"
    try train(in: parts, stopAfter: 4)
    let checkpoint = parts + "/" + PARTraining.checkpointName
    let half = try bytes(checkpoint)
    let partial = parts + "/.\(PARTraining.checkpointName).00000000000000f7.partial"
    try half.prefix(half.count / 2).write(to: URL(fileURLWithPath: partial))
    // As old as what another machine left must be.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: partial)
    let outcome = try train(in: parts, resume: true)
    #expect(try bytes(outcome.model) == bytes(whole.model))
    #expect(!FileManager.default.fileExists(atPath: partial))
  }
}

/// The model file gives the same teacher-forced logits as the trainer's own pass gives losses, and tells its order.
@Test func theModelFileIsTheTrainedModel() throws {
  try withTrainingFolder { folder in
    let tokens = try trainingTokens()
    let outcome = try train(in: folder, attention: .causal)
    let checkpoint = try SafetensorsCheckpoint(path: outcome.model)
    let trained = TrainedModel(metadata: checkpoint.metadata, path: outcome.model)
    let order = try shuffledOrder(on: tokens.grid, tokensPerStep: 2)
    #expect(trained.order?.steps == order.steps && trained.wasTrained(in: order))
    #expect(!trained.wasTrained(in: try .raster(on: tokens.grid, tokensPerStep: 2)))
    #expect(trained.attention == .causal && trained.grid == tokens.grid)
    #expect(trained.settings == tinySettings())
    #expect(
      trained.codebookHash
        == TrainedModel.hash(ofCodebook: try #require(tokens.codebook)))
    let run = try TrainingRun(
      tokens: tokens, order: order, tokensPerStep: 2, attention: .causal,
      settings: tinySettings(), shards: 2)
    let heldOut = try TrainingData(
      tokens: tokens, settings: run.settings, nullClass: run.configuration.nullClass
    ).heldOut
    #expect(heldOut.count == 4)
    let sequence = try PARSequence(order: order, tokensPerStep: 2)
    let codes = try #require(tokens.codes).map { Int($0) }
    let logits = try PARTransformer.teacherForcedLogits(
      weights: PARWeights(checkpoint: checkpoint), sequence: sequence, attention: .causal,
      codes: heldOut.map { Array(codes[$0 * 16..<($0 + 1) * 16]) },
      labels: heldOut.map { $0 % 3 }, team: GoldenSet.team)
    var sums = [Double](repeating: 0, count: 16)
    for (image, rows) in zip(heldOut, logits) {
      for (k, cell) in sequence.cells.enumerated() {
        let row = rows[k * 12..<(k + 1) * 12].map { Double($0) }
        sums[cell] += log(row.reduce(0) { $0 + exp($1) }) - row[codes[image * 16 + cell]]
      }
    }
    let likelihood = try PositionLikelihood(model: outcome.model, tokens: tokens)
    #expect(likelihood.isHeldOut && likelihood.imageCount == 4 && likelihood.tokensPerStep == 2)
    for cell in 0..<16 { #expect(abs(likelihood.means[cell] - sums[cell] / 4) <= 1e-4) }
    let validation = try #require(outcome.validationLoss)
    #expect(abs(likelihood.mean - validation) <= 1e-5)
  }
}

@Test func standardErrorsAreThoseOfGroups() {
  let (mean, error) = PositionLikelihood.mean(of: [1, 3, 2, 6], groups: nil)
  // s² = (4 + 0 + 1 + 9) / 3, of a mean of four.
  #expect(mean == 3 && abs(error - (14.0 / 3 / 4).squareRoot()) < 1e-12)
  let (_, clustered) = PositionLikelihood.mean(of: [1, 3, 2, 6], groups: [7, 8, 7, 8])
  // Two groups whose deviations sum to −3 and 3.
  #expect(abs(clustered - (18.0 * 2).squareRoot() / 4) < 1e-12)
  #expect(PositionLikelihood.mean(of: [1, 2], groups: [1, 1]).1.isNaN)
}

/// A learning rate that blows up the weights stops the run; the checkpoint of a good step stays.
@Test func lossesThatAreNoNumbersStopTheRun() throws {
  try withTrainingFolder { folder in
    let settings = tinySettings {
      ($0.learningRate, $0.warmup, $0.clip, $0.checkpointSeconds) = (1e30, 0, 1e30, 0)
      $0.steps = 40
    }
    let error = #expect(throws: TrainingError.self) { try train(in: folder, settings: settings) }
    guard case .notFinite(let step, _, let checkpointStep, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(checkpointStep == step - 1)
    let text = "\(try #require(error))"
    #expect(text.contains("not finite") && text.contains("checkpoint of step \(step - 1)"))
    let checkpoint = try TrainingCheckpoint<PARPlan>(
      path: folder + "/" + PARTraining.checkpointName)
    #expect(checkpoint.state.step == step - 1)
  }
}

/// What a checkpoint was begun with and what is asked for now are both named.
@Test func otherRunsAreRefused() throws {
  try withTrainingFolder { folder in
    try train(in: folder, stopAfter: 2)
    func message(_ run: () throws -> TrainingOutcome) -> String {
      do {
        _ = try run()
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(message { try train(in: folder) }.contains("at step 2; resume it"))
    let otherRate = tinySettings { $0.learningRate = 0.5 }
    let rate = message { try train(in: folder, settings: otherRate, resume: true) }
    #expect(rate.contains("learning rate 0.01, but 0.5 is asked for"))
    let attention = message { try train(in: folder, attention: .causal, resume: true) }
    #expect(attention.contains("attention groupwise, but causal is asked for"))
    let order = message {
      try train(
        in: folder, order: .raster(on: TokenGrid(rows: 4, columns: 4), tokensPerStep: 2),
        resume: true)
    }
    #expect(order.contains("order test order (xxh64:") && order.contains("but raster"))
    let data = message {
      try train(in: folder, tokens: trainingTokens(seed: 6), resume: true)
    }
    #expect(data.contains("dataset tiny.h5 (xxh64:"))
    let codes = message {
      try train(in: folder, tokens: trainingTokens(codes: 13), resume: true)
    }
    #expect(codes.contains("codebook xxh64:"))
    // How often to write is no part of a run.
    let outcome = try train(
      in: folder, settings: tinySettings { $0.checkpointSeconds = 1 }, resume: true)
    #expect(outcome.finished)
  }
}

@Test func settingsOutOfRangeAreNamed() throws {
  let cases: [(String, (inout TrainingSettings) -> Void)] = [
    ("layers is 0", { $0.layers = 0 }), ("steps is -1", { $0.steps = -1 }),
    ("learning rate is nan", { $0.learningRate = .nan }), ("dropout is 1.0", { $0.dropout = 1 }),
    ("label dropout is -0.1", { $0.labelDropout = -0.1 }), ("warm-up is 2.0", { $0.warmup = 2 }),
    ("clip is 0.0", { $0.clip = 0 }), ("validation images is -3", { $0.validationImages = -3 }),
    ("weight decay is -1.0", { $0.weightDecay = -1 }),
    ("validation interval is 0", { $0.validationInterval = 0 }),
  ]
  for (text, change) in cases {
    let error = #expect(throws: TrainingError.self) { try tinySettings(change).validate() }
    #expect("\(try #require(error))".hasPrefix(text))
  }
  try withTrainingFolder { folder in
    #expect(throws: PARError.impossibleConfiguration("a width of 18 does not divide into 4 heads"))
    { try train(in: folder, settings: tinySettings { ($0.heads, $0.width) = (4, 18) }) }
  }
}

/// Rises in a straight line to its largest value and falls to zero as a cosine.
@Test func theLearningRateRisesAndFalls() {
  let settings = TrainingSettings(steps: 100, learningRate: 2, warmup: 0.1)
  #expect(settings.rate(step: 0) == 0.2 && settings.rate(step: 9) == 2)
  #expect(settings.rate(step: 10) == 2 && abs(settings.rate(step: 55) - 1) < 1e-6)
  #expect(settings.rate(step: 99) < 0.001)
}

/// Crops of one photograph are held out together; every image is on one side.
@Test func imagesOfOnePhotographStayTogether() throws {
  let tokens = try trainingTokens(imageIDs: (0..<32).map { UInt32($0 / 4) })
  let (training, heldOut) = TrainingData.split(
    tokens: tokens, settings: tinySettings { $0.validationImages = 6 })
  #expect(heldOut.count == 8 && training.count == 24)
  #expect(Set(heldOut.map { $0 / 4 }).isDisjoint(with: training.map { $0 / 4 }))
  #expect(Set(training + heldOut).count == 32)
}

/// Every epoch shows each image once; without labels all are of one class, and some of none.
@Test func batchesGoThroughAllImages() throws {
  let tokens = try trainingTokens(images: 10, labelled: false)
  let run = try TrainingRun(
    tokens: tokens, order: .raster(on: tokens.grid, tokensPerStep: 1), tokensPerStep: 1,
    attention: .groupwise,
    settings: tinySettings { ($0.validationImages, $0.batchSize, $0.labelDropout) = (2, 3, 0.5) },
    shards: 1)
  let data = try TrainingData(
    tokens: tokens, settings: run.settings, nullClass: run.configuration.nullClass)
  let images = (0..<8).flatMap { data.batch(step: $0) }
  for epoch in chunks(images, of: 8) {
    #expect(Set(epoch.map { Array($0.codes) }).count == 8)
  }
  #expect(run.classes == 1 && Set(images.map(\.label)) == [0, 1])
}
