import Synchronization

/// Results that threads leave for chunks.
final class ChunkStore<Value: Sendable>: Sendable {
  private let values = Mutex<[Int: Value]>([:])

  func set(_ chunk: Int, _ value: Value) { values.withLock { $0[chunk] = value } }

  func value(of chunk: Int) -> Value? { values.withLock { $0[chunk] } }
}
