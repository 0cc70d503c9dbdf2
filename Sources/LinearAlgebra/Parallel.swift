import Dispatch
import Synchronization

/// Runs `body` for every index below `iterations` on all cores and waits; the first error thrown is rethrown.
///
/// Indices are handed out in order, so put the largest pieces first. A call costs about a microsecond.
public func parallelFor(_ iterations: Int, _ body: @Sendable (Int) throws -> Void) throws {
  let failure = Mutex<(any Error)?>(nil)
  DispatchQueue.concurrentPerform(iterations: iterations) { index in
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
  DispatchQueue.concurrentPerform(iterations: iterations, execute: body)
}

/// A pointer that several threads write through at places that do not overlap.
package struct SharedPointer<Element>: @unchecked Sendable {
  package let base: UnsafeMutablePointer<Element>

  package init(_ base: UnsafeMutablePointer<Element>) { self.base = base }
}
