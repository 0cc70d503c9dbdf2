import Foundation

/// The Python interpreter found on the search path.
package enum Python {
  package static let hasH5Py = (try? run("import h5py, numpy")) != nil
  package static let hasNumPy = (try? run("import numpy")) != nil
  package static let hasTorch = (try? run("import torch")) != nil

  package struct Failure: Error {
    package let output: String
  }

  /// Runs a program and returns what it prints.
  @discardableResult
  package static func run(_ program: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(output: String(decoding: complaint, as: UTF8.self))
    }
    return text
  }
}
