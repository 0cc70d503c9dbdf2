import CKernels
import Foundation
import LinearAlgebra

/// A fixed team of threads for loops so short that starting them must cost less than a microsecond.
///
/// Between two loops the threads spin for some hundred microseconds and then sleep. One loop runs at a time; further
/// callers wait.
public final class WorkerTeam: @unchecked Sendable {
  let handle: OpaquePointer
  private let lock = NSLock()
  /// The number of threads, the calling one included.
  public let workers: Int

  /// The largest team the kernels keep counters for.
  public static let mostWorkers = 256

  /// Starts a team; nil stands for one thread a processor.
  ///
  /// - Precondition: the system can start the threads.
  public init(workers: Int? = nil) {
    let wanted = workers ?? ProcessInfo.processInfo.activeProcessorCount
    let count = Int32(max(1, min(wanted, Self.mostWorkers)))
    guard let handle = te_team_create(count) ?? te_team_create(1) else {
      preconditionFailure("the system has no memory for a team of threads")
    }
    self.handle = handle
    self.workers = Int(te_team_workers(handle))
  }

  deinit { te_team_destroy(handle) }

  /// Runs `body` once for every worker, from 0 on, and returns when all are done. A body must not call `run`.
  public func run(_ body: @Sendable (_ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { escaping in
      var body = escaping
      withUnsafeMutablePointer(to: &body) { pointer in
        exclusively {
          te_team_run(
            handle,
            { context, worker in
              context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(Int(worker))
            }, pointer)
        }
      }
    }
  }

  /// Runs `body(i)` for every i below `count`, the range cut into one contiguous share a worker.
  public func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    let workers = workers
    run { worker in
      for i in count * worker / workers..<count * (worker + 1) / workers { body(i) }
    }
  }

  /// The values of `body(i)` for every i below `count`, computed by all workers.
  public func map<Value: Sendable>(
    _ count: Int, _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      nonisolated(unsafe) let target = buffer
      // Every element is written once, by one worker.
      forEach(count) { target.initializeElement(at: $0, to: body($0)) }
      initialized = count
    }
  }

  /// The rate, in bytes per second, at which the team reads `weights` once from memory.
  ///
  /// Nothing is computed: no product with the matrix, which lies in the same pages, can be faster.
  public func readBandwidth(of weights: WeightMatrix) -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    exclusively { _ = te_read_all(handle, weights.kernelWeights.elements, weights.byteCount) }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    return Double(weights.byteCount) / seconds
  }

  func exclusively(_ body: () -> Void) {
    lock.lock()
    defer { lock.unlock() }
    body()
  }
}
