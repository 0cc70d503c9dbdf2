import EntropyEstimation
import Foundation
import Statistics
import Synchronization
import TokenData
import TokenGrids

/// A sequence that a search begins with.
public struct SearchStart: Hashable, Sendable {
  /// What results call it.
  public let name: String
  /// Raster indices, every cell of the grid once.
  public let sequence: [Int]

  /// Names a sequence.
  public init(name: String, sequence: [Int]) {
    self.name = name
    self.sequence = sequence
  }
}

/// Steps that a search has found.
public struct SearchCandidate: Hashable, Sendable, Codable {
  /// How a candidate came about.
  public enum Origin: String, Hashable, Sendable, Codable {
    /// The start's sequence, cut at the best places.
    case cut
    /// The start's sequence after exchanges and new cuts.
    case searched
  }

  /// The name of the sequence that it began with.
  public let start: String
  /// How it came about.
  public let origin: Origin
  /// Its sequence and the sizes of its steps.
  public let found: FoundSteps

  /// Makes a candidate.
  public init(start: String, origin: Origin, found: FoundSteps) {
    self.start = start
    self.origin = origin
    self.found = found
  }

  /// What results call it.
  public var name: String {
    origin == .cut ? "\(start), optimal groups" : "searched from \(start)"
  }

  /// The number of its steps.
  public var steps: Int { found.groupSizes.count }
}

/// The search for the best order of some numbers of steps, from several starts, within a time, and again from where it was
/// stopped.
///
/// For each number of steps every start is cut at the best places and improved, the best one first; after that the best
/// of all is disturbed and improved again until that has failed some times. What is done is told at once, so that a run that
/// is given it later goes on after it.
public struct SearchRun: Sendable {
  private let search: SequenceSearch
  private let starts: [SearchStart]
  private let seed: UInt64
  /// How often in a row disturbing the best must fail until the search ends.
  public var patience = 3

  /// Prepares a search.
  public init(_ search: SequenceSearch, starts: [SearchStart], seed: UInt64 = 0) {
    self.search = search
    self.starts = starts
    self.seed = seed
  }

  /// The candidates for a number of steps: of each start what optimal groups and what exchanges make of it, as far as the
  /// constraints allow and the time suffices; optimal groups are found in any case.
  ///
  /// - Parameters:
  ///   - known: Candidates of an earlier run with the same covariance and starts.
  ///   - shouldStop: Asked often.
  ///   - onFound: Told every candidate once it is complete, and with `nil` what is best so far meanwhile.
  /// - Complexity: Some ten rounds of ``SequenceSearch/improved(_:shouldStop:progress:)`` for each start.
  public func candidates(
    steps: Int, known: [SearchCandidate] = [],
    shouldStop: @escaping @Sendable () -> Bool = { false },
    onFound: (SearchCandidate?, _ bestLoss: Double) -> Void = { _, _ in }
  ) -> [SearchCandidate] {
    var found: [SearchCandidate] = []
    var best = Double.infinity
    func earlier(_ start: String, _ origin: SearchCandidate.Origin) -> SearchCandidate? {
      known.first { $0.steps == steps && $0.start == start && $0.origin == origin }
    }
    func add(_ candidate: SearchCandidate, isNew: Bool) {
      found.append(candidate)
      best = min(best, candidate.found.trainingLoss)
      if isNew { onFound(candidate, best) }
    }
    for start in starts {
      if let candidate = earlier(start.name, .cut) {
        add(candidate, isNew: false)
      } else if let cut = search.cut(start.sequence, steps: steps) {
        add(SearchCandidate(start: start.name, origin: .cut, found: cut), isNew: true)
      }
    }
    for cut in found.sorted(by: { $0.found.trainingLoss < $1.found.trainingLoss }) {
      if let candidate = earlier(cut.start, .searched) {
        add(candidate, isNew: false)
        continue
      }
      guard !shouldStop() else { break }
      let better = search.improved(cut.found, shouldStop: shouldStop) {
        best = min(best, $0.trainingLoss)
        onFound(nil, best)
      }
      // What was stopped on the way counts for this run, and is begun again by the next.
      let candidate = SearchCandidate(start: cut.start, origin: .searched, found: better)
      if shouldStop() { found.append(candidate) } else { add(candidate, isNew: true) }
    }
    guard let leader = found.min(by: { $0.found.trainingLoss < $1.found.trainingLoss }) else {
      return []
    }
    let name = "disturbances of \(leader.start)"
    if let candidate = earlier(name, .searched) {
      add(candidate, isNew: false)
    } else if !shouldStop() {
      let disturbed = disturbed(leader.found, shouldStop) {
        best = min(best, $0)
        onFound(nil, best)
      }
      let candidate = SearchCandidate(start: name, origin: .searched, found: disturbed)
      if disturbed == leader.found || shouldStop() {
        if disturbed != leader.found { found.append(candidate) }
      } else {
        add(candidate, isNew: true)
      }
    }
    return found
  }

  /// Exchanges a few tokens of neighbouring steps at random and improves the rest, until that has failed often enough.
  private func disturbed(
    _ found: FoundSteps, _ shouldStop: @escaping @Sendable () -> Bool,
    _ onBetter: (Double) -> Void
  ) -> FoundSteps {
    var best = found
    var generator = SeededGenerator(seed: seed, stream: UInt64(100 + found.groupSizes.count))
    var failures = 0
    while failures < patience, !shouldStop() {
      var steps = best.steps
      guard steps.count > 1 else { return best }
      for step in 0..<steps.count - 1 {
        // A tenth of the smaller step, at random one more or less.
        let count = min(steps[step].count, steps[step + 1].count)
        for _ in 0..<Int(Double(count) / 10 + Double.random(in: 0..<1, using: &generator)) {
          let a = Int.random(in: 0..<steps[step].count, using: &generator)
          let b = Int.random(in: 0..<steps[step + 1].count, using: &generator)
          (steps[step][a], steps[step + 1][b]) = (steps[step + 1][b], steps[step][a])
        }
      }
      guard let start = search.cut(steps.flatMap(\.self), steps: steps.count) else { return best }
      let next = search.improved(start, shouldStop: shouldStop)
      if next.trainingLoss < best.trainingLoss * (1 - 1e-3) {
        best = next
        failures = 0
        onBetter(best.trainingLoss)
      } else {
        failures += 1
      }
    }
    return best
  }
}
