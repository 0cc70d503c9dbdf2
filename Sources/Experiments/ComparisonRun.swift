import EntropyEstimation
import Foundation
import GenerationMetrics
import PARTransformer
import Reporting
import Statistics
import TokenData
import TokenGrids

/// One model's way through training, sampling and measurement, each kept in a folder named by what it depends on.
struct ComparisonRun {
  let configuration: ComparisonConfiguration
  let seed: UInt64
  let settings: ComparisonSettings
  let keys: ComparisonKeys
  /// The folder of this run.
  let folder: String
  /// The configuration's name, as a file may be called.
  var name: String {
    String(configuration.name.map { $0.isLetter || $0.isNumber ? $0 : "-" })
  }

  init(
    configuration: ComparisonConfiguration, seed: UInt64, settings: ComparisonSettings,
    keys: ComparisonKeys, cache: String
  ) {
    self.configuration = configuration
    self.seed = seed
    self.settings = settings
    self.keys = keys
    let name = String(configuration.name.map { $0.isLetter || $0.isNumber ? $0 : "-" })
    folder = "\(cache)/\(name)-seed-\(seed)-\(keys.training)"
  }

  private var trainingRecord: String { folder + "/training.json" }
  private var samplesPath: String { folder + "/samples-\(keys.samples).h5" }
  private var metricsPath: String { folder + "/metrics-\(keys.metrics).json" }

  private func partPath(_ part: Int) -> String {
    folder + "/samples-\(keys.samples)-part-\(part).h5"
  }

  /// The first image of every part, and one past its last.
  private var parts: [Range<Int>] {
    let size = ComparisonSettings.imagesPerPart
    return stride(from: 0, to: settings.samples, by: size).map {
      $0..<min($0 + size, settings.samples)
    }
  }

  /// The measurement of an earlier run of the program.
  var measured: ComparisonMeasurement? {
    JSONFile.read(ComparisonMeasurement.self, from: metricsPath)
  }

  /// What is known of the training; nil before it is finished.
  var trained: ComparisonStages.Trained? {
    let record = JSONFile.read(ComparisonStages.Trained.self, from: trainingRecord)
    return record?.finished == true
      && FileManager.default.fileExists(atPath: folder + "/" + PARTraining.modelName)
      ? record : nil
  }

  /// The shares of the work that are still to be done.
  var remaining: Double {
    if measured != nil { return 0 }
    var work = ComparisonProgress.measuring
    if trained == nil { work += ComparisonProgress.training }
    if !FileManager.default.fileExists(atPath: samplesPath) { work += ComparisonProgress.sampling }
    return work
  }

  /// Trains where that is not done.
  ///
  /// - Throws: ``ComparisonStopped`` when the user asks to stop, after a checkpoint.
  func train(
    on tokens: TokenDataset, stages: ComparisonStages, shouldStop: () -> Bool,
    progress: (TrainingProgress) -> Void
  ) throws -> ComparisonStages.Trained {
    if let trained { return trained }
    let result = try stages.train(
      tokens, configuration, settings.training(seed: seed), folder, shouldStop, progress)
    guard result.finished else { throw ComparisonStopped() }
    try JSONFile.write(result, to: trainingRecord)
    return result
  }

  /// Draws the images, part by part, where that is not done.
  ///
  /// - Parameter like: Real images whose classes, codebook and decoder the generated ones get.
  /// - Throws: ``ComparisonStopped`` when the user asks to stop, after a part.
  func sample(
    like real: TokenDataset, stages: ComparisonStages, shouldStop: () -> Bool,
    progress: @escaping (Int) -> Void
  ) throws -> TokenDataset {
    if let whole = try? TokenDataset(contentsOf: samplesPath), whole.imageCount == settings.samples
    {
      return whole
    }
    let generated = try GeneratedImages(settings.samples, like: real)
    func dataset(_ codes: [UInt32], _ images: Range<Int>) throws -> TokenDataset {
      try generated.dataset(
        codes, images: images, source: "fid-compare, \(configuration.name), seed \(seed)")
    }
    let labels = generated.labels
    var codes: [UInt32] = []
    codes.reserveCapacity(settings.samples * real.grid.cellCount)
    for (number, images) in parts.enumerated() {
      progress(images.lowerBound)
      let path = partPath(number)
      if let part = try? TokenDataset(contentsOf: path), part.imageCount == images.count,
        let known = part.codes
      {
        codes += known
        continue
      }
      if shouldStop() { throw ComparisonStopped() }
      let options = SamplingOptions(
        guidance: settings.guidance, filter: TokenFilter(temperature: settings.temperature),
        attention: configuration.attention,
        // Images of a part are streams of one seed; every part of every run has a seed of its own.
        seed: seed &* 1_000_003 &+ UInt64(number), batchSize: 50)
      let drawn = try stages.sample(configuration, options, Array(labels[images]), folder) {
        progress(images.lowerBound + $0)
      }
      let new = drawn.flatMap { $0.map { UInt32($0) } }
      try dataset(new, images).write(to: path)
      codes += new
    }
    try dataset(codes, labels.indices).write(to: samplesPath)
    for number in parts.indices { try? FileManager.default.removeItem(atPath: partPath(number)) }
    return try TokenDataset(contentsOf: samplesPath)
  }

  /// Measures the images where that is not done.
  func measure(
    _ images: TokenDataset, reference: ComparisonReference, progress: (String) -> Void
  ) throws -> ComparisonMeasurement {
    if let measured { return measured }
    let result = try reference.measure(images, order: configuration.order, progress: progress)
    try JSONFile.write(result, to: metricsPath)
    return result
  }
}

/// Progress of all runs: what is being done, and how long all of it will take.
final class ComparisonProgress {
  /// Shares of a run's time, roughly.
  static let training = 0.75
  static let sampling = 0.17
  static let measuring = 0.08

  /// From the first stage on.
  private var clock: Stopwatch?
  private let total: Double
  private var done = 0.0
  private var line: ProgressLine?
  private var share = 0.0
  private var count = 1

  init(total: Double) { self.total = total }

  /// Begins a stage of so much of a run's work.
  func begin(_ label: String, share: Double, count: Int, unit: String) {
    if clock == nil { clock = Stopwatch() }
    line = ProgressLine(label, total: count, unit: unit)
    (self.share, self.count) = (share, count)
  }

  func update(_ stageDone: Int, _ facts: String = "") {
    let finished = done + share * Double(stageDone) / Double(max(count, 1))
    var facts = facts.isEmpty ? [] : [facts]
    if finished > 0.02 * total, let seconds = clock?.seconds, seconds > 5 {
      let left = Int((seconds * (total - finished) / finished / 60).rounded(.up))
      facts.append("all: \(left) min left")
    }
    line?.update(stageDone, facts.joined(separator: ", "))
  }

  func finish() {
    line?.finish()
    line = nil
    done += share
  }
}
