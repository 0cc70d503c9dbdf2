import CZip
import Foundation
import Testing

/// Runs the program `fuzz`, since a crash, of a C library above all, would end all tests.
private func fuzz(_ arguments: [String], in folder: URL) throws -> (status: Int32, text: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().appendingPathComponent("fuzz")
  process.arguments = arguments
  let output = folder.appendingPathComponent("output")
  try Data().write(to: output)
  process.standardOutput = try FileHandle(forWritingTo: output)
  try process.run()
  process.waitUntilExit()
  return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
}

private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("fuzz-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// Damaged files of every kind are read, or refused in a sentence: no crash, nothing that takes 20 seconds or 2 GB.
///
/// `make fuzz` reads more of them, with an address sanitizer.
@Test(arguments: [
  "hdf5-codes", "hdf5-features", "hdf5-filters", "hdf5-strings", "hdf5-headers", "moments",
  "residuals", "jpeg", "png",
  "safetensors",
  "torch-pickle", "model", "model-index", "checkpoint", "any-order-model", "any-order-checkpoint",
  "order-table", "order-json", "order-npy",
])
func damagedFilesAreReadOrRefused(reader: String) throws {
  try withFolder { folder in
    let (status, text) = try fuzz(
      ["--reader", reader, "--inputs", "1000", "--failures", folder.path + "/kept"], in: folder)
    #expect(status == 0, "\(text)")
    // Some are still well-formed and most are not: damage that is too tame or too wild tells nothing.
    let counts = text.split(separator: " ").compactMap { Int($0) }
    try #require(counts.count > 3, "\(text)")
    #expect(counts[0] == 1000 && counts[1] > 20 && counts[2] > 200, "\(text)")
  }
}

/// A few kilobytes of nested dictionaries, whose joined names would take gigabytes.
@Test(arguments: [(3000, 1000), (60, 400_000), (200_000, 1)])
func shortPicklesTakeLittleMemory(depth: Int, nameLength: Int) throws {
  try withFolder { folder in
    let name =
      [0x58] + (0..<4).map { UInt8(nameLength >> (8 * $0) & 0xFF) }
      + [UInt8](repeating: UInt8(ascii: "n"), count: nameLength)
    var pickle: [UInt8] = [0x80, 2] + Array("}".utf8)
    // The name is remembered, and each dictionary has the next under it.
    pickle += name + Array("q\0}".utf8)
    for _ in 1..<depth { pickle += Array("h\0}".utf8) }
    pickle += [UInt8](repeating: UInt8(ascii: "s"), count: depth) + Array(".".utf8)
    let path = folder.appendingPathComponent("a.pt").path
    var code: Int32 = 0
    let archive = try #require(zip_open(path, ZIP_CREATE, &code))
    let source = zip_source_buffer(archive, pickle, zip_uint64_t(pickle.count), 0)
    #expect(zip_file_add(archive, "a/data.pkl", source, 0) >= 0 && zip_close(archive) == 0)
    let size = try #require(FileManager.default.contents(atPath: path)?.count)
    #expect(size < 6000, "\(size)")
    let (status, text) = try fuzz(["read", "torch", path], in: folder)
    let lines = text.split(separator: "\n")
    try #require(status == 0 && lines.count == 2, "\(text)")
    let megabytes = try #require(Int(lines[1].prefix { $0.isNumber }))
    #expect(megabytes < 200, "\(text)")
  }
}
