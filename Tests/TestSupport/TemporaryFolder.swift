import Foundation

/// A folder of its own for one test, removed with everything in it at the end.
package final class TemporaryFolder: Sendable {
  /// Where it is, without a slash at the end.
  package let path: String

  /// Makes an empty one.
  package init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("token-entropy-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// The folder as Foundation names it.
  package var url: URL { URL(fileURLWithPath: path, isDirectory: true) }

  /// The path of a file in it, which need not exist.
  package func file(_ name: String) -> String { path + "/" + name }

  /// Makes a folder in it.
  package func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: file(name), withIntermediateDirectories: true)
  }

  /// Writes a file in it.
  package func write(_ data: Data, _ name: String) throws {
    try data.write(to: URL(fileURLWithPath: file(name)))
  }

  /// The names of all files, hidden ones included.
  package func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
