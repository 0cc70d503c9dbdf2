import Foundation

/// What reading damaged files came to.
struct FuzzReport: Codable {
  /// A file that was not read as it should be, and how to make it again.
  struct Fault: Codable {
    var seed: UInt64
    var what: String
  }

  var reader: String
  /// Files that were read, and files that were refused with a sentence.
  var read = 0
  var refused = 0
  /// The longest time that a file took, in seconds.
  var slowest = 0.0
  /// The most memory that the process took, in bytes.
  var peak = 0
  var faults: [Fault] = []

  var inputs: Int { read + refused + faults.count }

  mutating func add(_ other: FuzzReport) {
    read += other.read
    refused += other.refused
    slowest = max(slowest, other.slowest)
    peak = max(peak, other.peak)
    faults += other.faults
  }

  var line: String {
    let name = reader.padding(toLength: 14, withPad: " ", startingAt: 0)
    return "\(name) \(inputs) inputs, \(read) read, \(refused) refused, \(faults.count) faults; "
      + String(format: "slowest %.2f s, %d MB", slowest, peak >> 20)
  }
}

/// What a file may cost at most.
enum FuzzLimits {
  static let seconds = 20.0
  static let bytes = 2 << 30
  /// The longest sentence; names of tensors are part of some.
  static let sentence = 4000
}

/// The most memory this process has taken so far, in bytes.
func peakMemory() -> Int {
  #if os(Linux)
    // That of `getrusage` begins with what the parent took.
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.filter(\.isNumber))
    else { return 0 }
    return kilobytes << 10
  #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #endif
}
