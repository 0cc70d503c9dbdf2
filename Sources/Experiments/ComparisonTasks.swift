import Foundation
import Statistics

extension Comparison {
  /// Does one part of the work, where it is not done yet; ``run(provenance:clock:)`` finds it.
  ///
  /// - Returns: How many pieces the part has, and how many of them were made now.
  /// - Throws: ``ComparisonTaskError`` where an earlier task is missing or another process does this one;
  ///   ``ComparisonStopped`` when the user asked to stop: what was begun is kept.
  package func carryOut(_ task: ComparisonTask) throws -> (pieces: Int, made: Int) {
    let lock = try task.lock(in: folder)
    return try withExtendedLifetime(lock) {
      switch task {
      case .prepare:
        let isThere = FileManager.default.fileExists(atPath: floorPath)
        _ = try noiseFloor(makeReference())
        return (1, isThere ? 0 : 1)
      case .train(let part): return try train(part, task)
      case .measure(let part): return try measure(part, task)
      }
    }
  }

  private func train(
    _ part: NumberedPart, _ task: ComparisonTask
  ) throws -> (pieces: Int, made: Int) {
    guard FileManager.default.fileExists(atPath: floorPath) else {
      throw ComparisonTaskError.notPrepared(
        task: task.description, missing: "the comparison of real images")
    }
    let own = allRuns[part.range(of: allRuns.count)]
    let missing = own.filter { $0.trained == nil }
    let progress = ComparisonProgress(
      total: ComparisonProgress.training * Double(missing.count))
    for run in missing {
      progress.begin(
        "\(run.configuration.name), seed \(run.seed): training",
        share: ComparisonProgress.training, count: settings.training.steps, unit: "steps")
      defer { progress.finish() }
      _ = try train(run, progress: progress)
    }
    return (own.count, missing.count)
  }

  private func measure(
    _ part: NumberedPart, _ task: ComparisonTask
  ) throws -> (pieces: Int, made: Int) {
    let all = allRuns
    for (index, run) in all.enumerated() where run.trained == nil {
      throw ComparisonTaskError.notTrained(
        task: task.description,
        model: "the model of \(run.configuration.name) with seed \(run.seed)",
        first: "\(ComparisonTask.train(NumberedPart(index + 1, of: all.count)))")
    }
    let own = all[part.range(of: all.count)]
    let missing = own.filter { $0.measured == nil }
    let reference = makeReference()
    let progress = ComparisonProgress(total: missing.reduce(0) { $0 + $1.remaining })
    for run in missing {
      _ = try carryOut(
        run, label: "\(run.configuration.name), seed \(run.seed)", reference: reference,
        progress: progress)
    }
    return (own.count, missing.count)
  }
}
