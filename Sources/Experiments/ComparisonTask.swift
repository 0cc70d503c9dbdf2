import Files
import Foundation
import Statistics

/// A part of a comparison that a process of its own does in the folder of the whole, and keeps there.
///
/// Parts of one kind are independent of each other; kinds come one after the other. When all are done, the comparison itself
/// finds everything made and puts it together.
package enum ComparisonTask: Hashable, Sendable, CustomStringConvertible {
  /// What all others need: orders that are searched or fitted, and what real images alone tell.
  case prepare
  /// Some of the models.
  case train(NumberedPart)
  /// Some of what is made with the models, which must all be there.
  case measure(NumberedPart)

  /// Reads `prepare`, `train:i/N` or `measure:i/N`.
  package init?(_ text: String) {
    if text == "prepare" {
      self = .prepare
    } else if text.hasPrefix("train:"), let part = NumberedPart(String(text.dropFirst(6))) {
      self = .train(part)
    } else if text.hasPrefix("measure:"), let part = NumberedPart(String(text.dropFirst(8))) {
      self = .measure(part)
    } else {
      return nil
    }
  }

  /// As it is written.
  package var description: String {
    switch self {
    case .prepare: "prepare"
    case .train(let part): "train:\(part)"
    case .measure(let part): "measure:\(part)"
    }
  }

  /// All tasks of a comparison, each with those that must be done before it begins.
  ///
  /// - Parameters:
  ///   - trainings: How many models are trained, each a task.
  ///   - parts: Into how many parts the rest is divided.
  package static func all(
    trainings: Int, measuringParts parts: Int
  ) -> [(task: ComparisonTask, after: [ComparisonTask])] {
    let trainings = (1...trainings).map { ComparisonTask.train(NumberedPart($0, of: trainings)) }
    return [(.prepare, [])] + trainings.map { ($0, [.prepare]) }
      + (1...parts).map { (.measure(NumberedPart($0, of: parts)), trainings) }
  }

  /// Takes the right to do this task in a folder, which one process has at a time.
  ///
  /// - Throws: ``ComparisonTaskError/alreadyRunning(task:folder:)``; `FileError`.
  func lock(in folder: String) throws -> FolderLock {
    let name = description.replacing(":", with: "-").replacing("/", with: "-of-")
    guard let lock = try FolderLock(folder: folder, name: ".fid-compare-\(name).lock") else {
      throw ComparisonTaskError.alreadyRunning(task: description, folder: folder)
    }
    return lock
  }
}

/// Why a task cannot be done yet.
package enum ComparisonTaskError: Error, Equatable, CustomStringConvertible {
  /// Another process does it.
  case alreadyRunning(task: String, folder: String)
  /// What all tasks need is missing.
  case notPrepared(task: String, missing: String)
  /// A model is missing.
  case notTrained(task: String, model: String, first: String)

  /// One sentence for the user: what was found, and what to do.
  package var description: String {
    switch self {
    case .alreadyRunning(let task, let folder):
      "\(folder): another process is at work on \(task); wait for it"
    case .notPrepared(let task, let missing):
      "\(task): \(missing) is not there yet; --stage prepare, with the same options, comes first"
    case .notTrained(let task, let model, let first):
      "\(task): \(model) is not trained yet; --stage \(first), with the same options, comes first"
    }
  }
}
