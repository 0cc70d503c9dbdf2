import Foundation
import Synchronization
import Testing

@testable import LinearAlgebra

// The limit belongs to the process: what other tests do meanwhile is the same on fewer threads.
@Suite(.serialized) struct ParallelTests {
  @Test(arguments: [nil, 1, 3] as [Int?])
  func everyIndexIsDoneOnce(limit: Int?) {
    let before = ParallelThreads.limit
    ParallelThreads.limit = limit
    defer { ParallelThreads.limit = before }
    for iterations in [0, 1, 2, 1000] {
      let done = Mutex([Int](repeating: 0, count: iterations))
      parallelFor(iterations) { index in done.withLock { $0[index] += 1 } }
      #expect(done.withLock { $0.allSatisfy { $0 == 1 } })
    }
  }

  @Test func oneThreadIsTheCaller() {
    let before = ParallelThreads.limit
    ParallelThreads.limit = 1
    defer { ParallelThreads.limit = before }
    let order = Mutex<[Int]>([])
    parallelFor(100) { index in order.withLock { $0.append(index) } }
    #expect(order.withLock { $0 } == Array(0..<100))
  }

  @Test func theFirstErrorIsThrown() {
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try parallelFor(100) { index in if index == 40 { throw Failure() } }
    }
  }

  /// Callers at the same time hold BLAS to one thread until the last is done, whoever came first.
  @Test func theFirstCallerToLeaveEndsNothing() {
    let (isIn, isOut, mayLeave) = (
      DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
    )
    let first = Thread {
      BLAS.onCallingThread {
        isIn.signal()
        mayLeave.wait()
      }
      isOut.signal()
    }
    first.start()
    isIn.wait()
    BLAS.onCallingThread {
      mayLeave.signal()
      isOut.wait()
      BLAS.withThreads(2) { #expect(BLAS.threads == 1) }
      #expect(BLAS.threads == 1)
    }
  }

  /// In whatever order callers come and leave, at the end there are as many threads as at the beginning.
  @Test func theLastCallerRestoresTheThreads() {
    var requests = ThreadRequests()
    for _ in 0..<2 {
      #expect(requests.begin(2, threads: 8) == 2)
      #expect(requests.begin(1, threads: 2) == 1 && requests.begin(1, threads: 1) == 1)
      #expect(requests.begin(16, threads: 1) == 1)
      #expect(requests.end(1) == 1 && requests.end(2) == 1 && requests.end(1) == 8)
      #expect(requests.end(16) == 8)
    }
  }
}
