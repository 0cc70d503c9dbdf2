import Foundation

/// The program in PyTorch that runs the same network, in a process of its own.
final class Peer {
  /// What it is, in its own words.
  let name: String
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  struct Failure: Error {
    let line: String
  }

  init(script: String, weights: String, layout: String) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", script, weights, layout]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    name = Self.readLine(output)
  }

  /// Runs one command; the seconds it took.
  func run(_ command: String) throws -> Double {
    try input.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
    let line = Self.readLine(output)
    guard let seconds = Double(line) else { throw Failure(line: line) }
    return seconds
  }

  private static func readLine(_ pipe: Pipe) -> String {
    var bytes: [UInt8] = []
    while let byte = pipe.fileHandleForReading.readData(ofLength: 1).first, byte != 0x0a {
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
