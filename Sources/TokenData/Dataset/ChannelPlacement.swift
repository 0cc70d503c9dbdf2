/// Where the channels of features stand among the extents of an array.
public enum ChannelPlacement: String, CaseIterable, Hashable, Sendable {
  /// Before rows and columns, as convolutional networks have it: (images, d, H, W), or (images, d, T, H, W).
  case first
  /// After them, as token datasets have it: (images, H, W, d), or (images, T, H, W, d).
  case last

  /// The extents with the channels last; nil where there are too few to tell channels from cells.
  func channelsLast(_ shape: [Int]) -> [Int]? {
    guard (4...5).contains(shape.count) else { return nil }
    return switch self {
    case .last: shape
    case .first: [shape[0]] + shape[2...] + [shape[1]]
    }
  }

  /// Whether extents that are taken to have the channels last look as if they had not: a square at the end, and before it
  /// something else.
  static func isImplausiblyLast(_ shape: [Int]) -> Bool {
    guard (4...5).contains(shape.count) else { return false }
    let end = shape.suffix(3)
    return end[end.endIndex - 1] == end[end.endIndex - 2]
      && end[end.startIndex] != end[end.endIndex - 1]
  }

  /// The numbers of some images with the channels last.
  ///
  /// - Parameter values: `images × d × n` where the channels are first, else `images × n × d`.
  /// - Complexity: O(count); nothing where the channels are last.
  func channelsLast<Value>(_ values: [Value], cells: Int, channels: Int) -> [Value] {
    guard self == .first else { return values }
    var result: [Value] = []
    result.reserveCapacity(values.count)
    for image in stride(from: 0, to: values.count, by: cells * channels) {
      for cell in image..<image + cells {
        for channel in 0..<channels { result.append(values[cell + channel * cells]) }
      }
    }
    return result
  }
}
