import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids

/// A built program, run as a user would run it.
struct Program {
  let name: String

  struct Result {
    let status: Int32
    let output: String
    let errors: String
    /// What the folder holds that the program ran in.
    let files: [String]
  }

  /// Beside the test program, where the build puts every product.
  private static var folder: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  }

  /// Runs it in an empty folder of its own, which is removed afterwards.
  func run(
    _ arguments: [String], environment: [String: String] = [:],
    inspecting inspect: (URL) throws -> Void = { _ in }
  ) throws -> Result {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try run(arguments, in: folder, environment: environment, inspecting: inspect)
  }

  /// Runs it in a folder that is there.
  ///
  /// - Parameter wrapping: another program that starts it, and what stands before its arguments.
  func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:],
    wrapping: (String) -> (String, [String]) = { ($0, []) },
    inspecting inspect: (URL) throws -> Void = { _ in }
  ) throws -> Result {
    let process = Process()
    let (executable, first) = wrapping(Self.folder.appendingPathComponent(name).path)
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = first + arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, not pipes: two pipes can fill up and wait for each other.
    let places = try ["output", "errors"].map { name in
      let url = try temporaryFolder().appendingPathComponent(name)
      try Data().write(to: url)
      return url
    }
    defer {
      for url in places { try? FileManager.default.removeItem(at: url.deletingLastPathComponent()) }
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: places[0])
    process.standardError = try FileHandle(forWritingTo: places[1])
    try process.run()
    process.waitUntilExit()
    try inspect(folder)
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: try String(contentsOf: places[0], encoding: .utf8),
      errors: try String(contentsOf: places[1], encoding: .utf8),
      files: try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted())
  }
}

func temporaryFolder() throws -> URL {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("commands-\(UUID().uuidString)", isDirectory: true)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return url
}

/// A dataset in which tokens lean on their left and upper neighbours.
func smallDataset(
  grid: TokenGrid = TokenGrid(rows: 6, columns: 6), images: Int = 300, channels: Int = 2
) throws -> TokenDataset {
  var generator = SeededGenerator(seed: 42)
  let size = 64
  let codebook = FloatMatrix(
    rows: size, columns: channels,
    elements: (0..<size * channels).map { _ in Float(generator.nextUniform() * 2 - 1) })
  var codes: [UInt32] = []
  for _ in 0..<images {
    let first = codes.count
    for cell in 0..<grid.cellCount {
      let place = grid.cell(at: cell)
      let fresh = UInt32(generator.nextIndex(below: size))
      let choice = generator.nextUniform()
      if choice < 0.4, place.column > 0 {
        codes.append(codes[first + cell - 1])
      } else if choice < 0.8, place.row > 0 {
        codes.append(codes[first + cell - grid.columns])
      } else {
        codes.append(fresh)
      }
    }
  }
  return try TokenDataset(
    name: "small.h5", grid: grid, tokens: .codes(codes, codebook: codebook),
    labels: TokenLabels(values: (0..<images).map { UInt32($0 % 2) }, names: ["even", "odd"]))
}

/// Writes a dataset into a folder of its own for the time of `body`.
func withFile<Result>(
  _ dataset: TokenDataset, named name: String = "small.h5", _ body: (String) throws -> Result
) throws -> Result {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appendingPathComponent(name).path
  try dataset.write(to: path)
  return try body(path)
}
