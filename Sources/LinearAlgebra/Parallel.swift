import Dispatch
import Foundation
import Synchronization

/// How many threads `parallelFor` works with.
public enum ParallelThreads {
  private static let value = Atomic<Int>(
    // Whoever limits BLAS's threads means all of them.
    ProcessInfo.processInfo.environment["OPENBLAS_NUM_THREADS"].flatMap(Int.init).map { max($0, 0) }
      ?? 0)

  /// The most threads; nil for one for each core.
  public static var limit: Int? {
    get {
      let value = value.load(ordering: .relaxed)
      return value > 0 ? value : nil
    }
    set { value.store(newValue ?? 0, ordering: .relaxed) }
  }
}

/// Runs `body` for every index below `iterations` on all cores and waits; the first error thrown is rethrown.
///
/// Indices are handed out in order, so put the largest pieces first. A call costs about a microsecond. Of threads there are
/// at most ``ParallelThreads/limit``.
public func parallelFor(_ iterations: Int, _ body: @Sendable (Int) throws -> Void) throws {
  let failure = Mutex<(any Error)?>(nil)
  parallelFor(iterations) { (index: Int) -> Void in
    guard failure.withLock({ $0 == nil }) else { return }
    do {
      try body(index)
    } catch {
      failure.withLock { if $0 == nil { $0 = error } }
    }
  }
  if let error = failure.withLock({ $0 }) { throw error }
}

/// Runs `body`, which cannot fail, for every index below `iterations` on all cores and waits.
public func parallelFor(_ iterations: Int, _ body: @Sendable (Int) -> Void) {
  guard let limit = ParallelThreads.limit, limit < iterations else {
    DispatchQueue.concurrentPerform(iterations: iterations, execute: body)
    return
  }
  guard limit > 1 else {
    for index in 0..<iterations { body(index) }
    return
  }
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: limit) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < iterations else { return }
      body(index)
    }
  }
}

/// A pointer that several threads write through at places that do not overlap.
package struct SharedPointer<Element>: @unchecked Sendable {
  package let base: UnsafeMutablePointer<Element>

  package init(_ base: UnsafeMutablePointer<Element>) { self.base = base }
}
