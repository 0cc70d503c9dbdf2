import Synchronization

/// Columns that several threads compute and put in their places.
final class ColumnStore: Sendable {
  private let store: Mutex<[[Float]]>

  init(count: Int) { store = Mutex(Array(repeating: [], count: count)) }

  func set(_ index: Int, _ column: [Float]) { store.withLock { $0[index] = column } }

  var columns: [[Float]] { store.withLock(\.self) }
}
