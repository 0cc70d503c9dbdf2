import Foundation

/// How much memory this process may still take.
public struct AvailableMemory: Hashable, Sendable {
  /// What sets the limit.
  public enum Limit: Hashable, Sendable {
    /// What is free in the machine, swap space included.
    case machine
    /// The limit of the container or control group the process runs in.
    case container
    /// The limit of the process's address space or data (`ulimit -v`, `ulimit -d`).
    case process
  }

  /// The bytes.
  public let bytes: Double
  /// What sets them.
  public let limit: Limit

  /// Makes a statement of so many bytes.
  public init(bytes: Double, limit: Limit) {
    self.bytes = bytes
    self.limit = limit
  }

  /// What may be taken now: the least of what the machine has free, of what the container has left, and of the process's own
  /// limits; nil where the system does not tell.
  ///
  /// - Complexity: reads a few small files of the system.
  public static var now: AvailableMemory? {
    [machine, container, process].compactMap { $0 }.min { $0.bytes < $1.bytes }
  }

  #if os(Linux)
    private static var machine: AvailableMemory? {
      let fields = numbers(inFile: "/proc/meminfo")
      guard let free = fields["MemAvailable:"] else { return nil }
      return AvailableMemory(bytes: (free + (fields["SwapFree:"] ?? 0)) * 1024, limit: .machine)
    }

    /// The tightest of the control groups around this process, of either version.
    private static var container: AvailableMemory? {
      guard let text = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else {
        return nil
      }
      var left: [Double] = []
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { continue }
        let isUnified = parts[1].isEmpty
        guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
        let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
        let names = parts[2].split(separator: "/").map(String.init)
        for depth in 0...names.count {
          let folder = ([root] + names.prefix(depth)).joined(separator: "/")
          left += room(inGroup: folder, isUnified: isUnified)
        }
      }
      return left.min().map { AvailableMemory(bytes: $0, limit: .container) }
    }

    /// What a control group may still take; empty without a limit. File pages that were not used of late are given back
    /// before anything fails, so they count as free.
    private static func room(inGroup folder: String, isUnified: Bool) -> [Double] {
      let (limit, use) =
        isUnified
        ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      guard let most = number(inFile: folder + "/" + limit),
        let used = number(inFile: folder + "/" + use)
      else { return [] }
      let reclaimable =
        numbers(inFile: folder + "/memory.stat")[
          isUnified ? "inactive_file" : "total_inactive_file"] ?? 0
      return [max(most - used + min(reclaimable, used), 0)]
    }

    private static var process: AvailableMemory? {
      let used = numbers(inFile: "/proc/self/status")
      let left = [(RLIMIT_AS, "VmSize:"), (RLIMIT_DATA, "VmData:")].compactMap {
        resource, field -> Double? in
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0,
          limits.rlim_cur != rlim_t.max, let taken = used[field]
        else { return nil }
        let reserved = field == "VmSize:" ? addressSpaceOfThreads(begun: used["Threads:"] ?? 1) : 0
        return max(Double(limits.rlim_cur) - taken * 1024 - reserved, 0)
      }
      return left.min().map { AvailableMemory(bytes: $0, limit: .process) }
    }

    /// The address space that threads will take which have not begun yet: each has a stack of 8 MB and reserves 64 MB for what it
    /// allocates, and there are some for BLAS, some for the rest, and a few that wait for signals and progress. While it is
    /// reserved that is twice as much, of which an aligned half is kept; so one reservation more is counted.
    private static func addressSpaceOfThreads(begun: Double) -> Double {
      let rest = Double(2 * ProcessInfo.processInfo.activeProcessorCount + 4) - begun
      return 72e6 * max(rest, 0) + 128e6
    }

    private static func number(inFile path: String) -> Double? {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
      return Double(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The first number of each line, by the word before it.
    private static func numbers(inFile path: String) -> [String: Double] {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [:] }
      var result: [String: Double] = [:]
      for line in text.split(separator: "\n") {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        if words.count > 1, let value = Double(words[1]) { result[String(words[0])] = value }
      }
      return result
    }
  #else
    private static var machine: AvailableMemory? {
      AvailableMemory(bytes: Double(ProcessInfo.processInfo.physicalMemory), limit: .machine)
    }
    private static var container: AvailableMemory? { nil }
    private static var process: AvailableMemory? { nil }
  #endif
}

extension AvailableMemory: CustomStringConvertible {
  /// Such as `20.1 GB are free`.
  public var description: String {
    switch limit {
    case .machine: "\(bytes.byteText) are free"
    case .container: "\(bytes.byteText) are left to this container"
    case .process: "\(bytes.byteText) are left by the limits of this process (ulimit -v, -d)"
    }
  }
}

extension Double {
  /// A number of bytes as in `137 GB`, to three digits, in powers of 1000.
  public var byteText: String {
    var value = self
    var unit = "bytes"
    for next in ["kB", "MB", "GB", "TB", "PB", "EB"] where value >= 999.5 {
      value /= 1000
      unit = next
    }
    let digits = unit == "bytes" || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
    return String(format: "%.\(digits)f ", value) + unit
  }
}
