import Foundation

/// A Python interpreter: the one found on the search path or the system's, whichever has more of the packages that tests
/// compare with.
package enum Python {
  package static let hasH5Py = packages.isSuperset(of: ["h5py", "numpy"])
  package static let hasNumPy = packages.contains("numpy")
  package static let hasTorch = packages.contains("torch")

  package struct Failure: Error {
    package let output: String
  }

  private static let (interpreter, packages) = ["python3", "/usr/bin/python3"]
    .map { ($0, packages(of: $0)) }
    .reduce(("python3", Set<String>())) { $1.1.count > $0.1.count ? $1 : $0 }

  /// Which of the packages an interpreter can import; none where there is no such interpreter.
  private static func packages(of interpreter: String) -> Set<String> {
    Set(["numpy", "h5py", "torch"].filter { (try? run("import \($0)", by: interpreter)) != nil })
  }

  /// Runs a program and returns what it prints.
  @discardableResult
  package static func run(_ program: String) throws -> String {
    try run(program, by: interpreter)
  }

  private static func run(_ program: String, by interpreter: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [interpreter, "-c", program]
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
