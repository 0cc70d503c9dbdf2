import Foundation
import Synchronization

/// One line of progress on standard error, when that is a terminal and the work takes longer than a moment.
package final class ProgressLine: Sendable {
  private struct State {
    var lastUpdate: ContinuousClock.Instant
    var shown = false
  }

  private let label: String
  private let total: Int
  private let unit: String
  private let start = ContinuousClock.now
  private let state: Mutex<State>
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// How long a task must last before it is shown, and how often the line changes after that.
  private static let patience = Duration.milliseconds(500)

  package init(_ label: String, total: Int, unit: String) {
    self.label = label
    self.total = total
    self.unit = unit
    state = Mutex(State(lastUpdate: start))
  }

  /// Says how much is done, and any further facts.
  ///
  /// - Parameters:
  ///   - total: how much there is to do, where that was not known at the start.
  ///   - secondsLeft: how long the rest will take, where the caller knows better than the share that is done.
  package func update(
    _ done: Int, of total: Int? = nil, _ facts: String = "", secondsLeft: Double? = nil
  ) {
    let total = total ?? self.total
    guard isTerminal else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.lastUpdate >= Self.patience else { return }
      state.lastUpdate = now
      state.shown = true
      let elapsed = Double((now - start).components.seconds)
      let left = secondsLeft ?? (done > 0 ? elapsed * Double(total - done) / Double(done) : 0)
      var line = "\(label): \(done.grouped) of \(total.grouped) \(unit)"
      if left >= 1 { line += ", \(Self.text(seconds: left)) left" }
      if !facts.isEmpty { line += ", \(facts)" }
      writeToStandardError("\r\u{1B}[K\(line)")
    }
  }

  /// Takes the line away.
  package func finish() {
    state.withLock { state in
      guard state.shown else { return }
      state.shown = false
      writeToStandardError("\r\u{1B}[K")
    }
  }

  private static func text(seconds: Double) -> String {
    let seconds = Int(seconds.rounded())
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    return "\(seconds / 3600) h \(seconds / 60 % 60) min"
  }
}
