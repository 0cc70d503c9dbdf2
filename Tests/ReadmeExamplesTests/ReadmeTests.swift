import Foundation
import Testing

private let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
private let sources = tests.appendingPathComponent("../../Sources").standardized

/// The libraries: folders below `Sources` with a Swift file that is no program.
private let modules: [String] = {
  let files = FileManager.default
  let folders = (try? files.contentsOfDirectory(atPath: sources.path)) ?? []
  return folders.filter { folder in
    let path = sources.appendingPathComponent(folder).path
    let paths = files.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    return paths.contains { $0.hasSuffix(".swift") } && !paths.contains("main.swift")
  }.sorted()
}()

@Test func everyLibraryIsLookedAt() {
  #expect(modules.count >= 14 && modules.contains("Statistics") && !modules.contains("tokenize"))
}

/// The example of a module's README is the code of its test here, to the letter: it compiles, with no other imports, and does what
/// its comments say.
@Test(arguments: modules) func theExampleIsTested(module: String) throws {
  let readme = try String(
    contentsOf: sources.appendingPathComponent("\(module)/README.md"), encoding: .utf8)
  #expect(readme.hasPrefix("# \(module)\n"))
  let blocks = readme.components(separatedBy: "```swift\n").dropFirst()
    .map { $0.components(separatedBy: "```\n")[0] }
  try #require(blocks.count == 1, "one example")
  let test = try String(
    contentsOf: tests.appendingPathComponent("\(module)Example.swift"), encoding: .utf8)
  let lines = test.components(separatedBy: "\n")
  let imports = lines.filter { $0.hasPrefix("import ") && $0 != "import Testing" }
  let start = try #require(lines.firstIndex(of: "  // README.md:"))
  let end = try #require(lines.firstIndex(of: "  // What it says is so:"))
  let body = lines[(start + 1)..<end].map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : $0 }
  #expect(blocks[0] == (imports + [""] + body).joined(separator: "\n") + "\n")
}
