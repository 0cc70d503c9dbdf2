import Foundation
import GenerationMetrics
import Reporting
import Statistics
import TokenData
import TokenGrids

extension AnyOrderComparison {
  /// Does one part of the work, where it is not done yet; ``run(provenance:clock:)`` finds it.
  ///
  /// - Returns: How many pieces the part has, and how many of them were made now.
  /// - Throws: ``ComparisonTaskError`` where an earlier task is missing or another process does this one;
  ///   ``ComparisonStopped`` when the user asked to stop: what was begun is kept.
  package func carryOut(_ task: ComparisonTask) throws -> (pieces: Int, made: Int) {
    let lock = try task.lock(in: folder)
    return try withExtendedLifetime(lock) {
      switch task {
      case .prepare: try prepare()
      case .train(let part): try train(part, task)
      case .measure(let part): try measure(part, task)
      }
    }
  }

  private func prepare() throws -> (pieces: Int, made: Int) {
    let paths = [increasesPath, floorPath]
    func done() -> Int { paths.count(where: FileManager.default.fileExists) }
    let before = done()
    _ = try totalIncreases()
    _ = try noiseFloor(makeReference())
    // Of too few images there are no increases to keep.
    return (done(), done() - before)
  }

  private func train(
    _ part: NumberedPart, _ task: ComparisonTask
  ) throws -> (pieces: Int, made: Int) {
    guard FileManager.default.fileExists(atPath: floorPath) else {
      throw ComparisonTaskError.notPrepared(
        task: task.description, missing: "the comparison of real images")
    }
    let own = runs[part.range(of: runs.count)]
    let missing = own.count { $0.trained == nil }
    for run in own { _ = try train(run) }
    return (own.count, missing)
  }

  /// Something that is made with a model and does not depend on other things made.
  private struct Piece {
    let isThere: () throws -> Bool
    let make: () throws -> Void
  }

  private func measure(
    _ part: NumberedPart, _ task: ComparisonTask
  ) throws -> (pieces: Int, made: Int) {
    for (index, run) in runs.enumerated() where run.trained == nil {
      throw ComparisonTaskError.notTrained(
        task: task.description, model: "the model of seed \(run.seed)",
        first: "\(ComparisonTask.train(NumberedPart(index + 1, of: runs.count)))")
    }
    // One after the other: pieces that take long stand together.
    let own = try pieces().enumerated().filter { $0.offset % part.count == part.number - 1 }
      .map(\.element)
    let missing = try own.filter { try !$0.isThere() }
    let line = ProgressLine("\(task)", total: missing.count, unit: "pieces")
    defer { line.finish() }
    for (done, piece) in missing.enumerated() {
      line.update(done)
      try piece.make()
    }
    return (own.count, missing.count)
  }

  /// All pieces, the same in every process: samples and their measurement, likelihoods, and steps given the real ones before.
  private func pieces() throws -> [Piece] {
    let reference = makeReference()
    var pieces: [Piece] = []
    for run in runs {
      for (order, _) in everything {
        pieces.append(
          Piece(isThere: { try run.missingPieces(order, isCompared: false, isForced: false) == 0 })
          {
            _ = try run.measurement(order, like: held, reference: reference, stages: stages)
          })
      }
    }
    for run in runs {
      for same in sequences {
        pieces.append(
          Piece(isThere: { try run.hasLikelihoods(same) }) {
            _ = try run.likelihoods(same, on: held, seed: seed, stages: stages)
          })
      }
    }
    guard let real = try forcedImages() else { return pieces }
    for run in runs {
      for order in orders where order.tokensPerStep > 1 {
        pieces.append(
          Piece(isThere: { try run.hasForced(order) }) {
            _ = try run.forced(order, real: real, stages: stages)
          })
      }
    }
    return pieces
  }
}
