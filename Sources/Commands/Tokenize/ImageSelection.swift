import ArgumentParser

/// Images chosen by number: `0..15`, or a list as in `3,8,20..29`.
struct ImageSelection: ExpressibleByArgument, Hashable {
  /// Runs of numbers, in the order in which they were given.
  var ranges: [ClosedRange<Int>]

  init(ranges: [ClosedRange<Int>]) {
    self.ranges = ranges
  }

  init?(argument: String) {
    ranges = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let dots = part.firstRange(of: "..") else {
        guard let number = Int(part), number >= 0 else { return nil }
        ranges.append(number...number)
        continue
      }
      guard let first = Int(part[..<dots.lowerBound]), let last = Int(part[dots.upperBound...]),
        0 <= first, first <= last
      else { return nil }
      ranges.append(first...last)
    }
  }

  /// All numbers, in the order in which they were given.
  ///
  /// - Throws: `ValidationError` when one is not below `count`.
  func numbers(below count: Int, in file: String) throws -> [Int] {
    for range in ranges where range.upperBound >= count {
      throw ValidationError(
        "\(file): there is no image \(range.upperBound); the file has images 0..\(count - 1)")
    }
    return ranges.flatMap { Array($0) }
  }

  var defaultValueDescription: String {
    ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)..\($0.upperBound)" }
      .joined(separator: ",")
  }
}
