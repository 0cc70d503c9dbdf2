import Foundation

/// A program run as its user would run it, and how long that took.
struct WholeProcess {
  let arguments: [String]

  struct Run {
    let seconds: Double
    let peakMebibytes: Double
    let output: Data
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs it once, without `OPENBLAS_CORETYPE`, so that every program gets the kernels of this processor.
  func run() throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["-u", "OPENBLAS_CORETYPE"] + arguments
    let output = Pipe()
    process.standardOutput = output
    let before = Self.childPeak()
    let clock = ContinuousClock()
    let start = clock.now
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let elapsed = (clock.now - start).components
    guard process.terminationStatus == 0 else {
      throw Failure(
        description: "\(arguments.joined(separator: " ")) exited with \(process.terminationStatus)")
    }
    // The peak of all children so far: exact when this one is the largest yet, an upper limit otherwise.
    return Run(
      seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18,
      peakMebibytes: max(Self.childPeak(), before), output: data)
  }

  private static func childPeak() -> Double {
    var usage = rusage()
    // RUSAGE_CHILDREN, whose type differs between systems.
    getrusage(-1, &usage)
    #if os(macOS)
      return Double(usage.ru_maxrss) / 1_048_576
    #else
      return Double(usage.ru_maxrss) / 1024
    #endif
  }
}

extension [Double] {
  /// The middle of the sorted numbers, or the mean of the two in the middle.
  var median: Double {
    let sorted = sorted()
    return isEmpty ? .nan : (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }

  /// The median, and the range of several.
  func spread(_ digits: Int) -> String {
    guard count > 1, let least = self.min(), let most = self.max() else {
      return text(median, digits)
    }
    return "\(text(median, digits)) (\(text(least, digits)) to \(text(most, digits)))"
  }
}

/// A number with so many digits after the point.
func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
