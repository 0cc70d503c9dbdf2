/// How images are divided for the held-out bound.
public struct ImageSplit: Hashable, Sendable {
  /// The parts that are held out in turn, each in the order of the data; what is not held out is fitted to.
  public let parts: [[Int]]
  /// m.
  public let imageCount: Int

  /// Divides images at random.
  ///
  /// - Parameters:
  ///   - imageCount: m.
  ///   - folds: 1 for a single part with `fraction` of the images; k for k parts of equal size, each held out once while
  ///     the others are fitted to (cross-fitting).
  ///   - fraction: The share of the images in the single part; not used with several folds.
  ///   - seed: The same seed gives the same parts.
  ///   - groups: The photograph of each image; images of one stay together, so that no part knows another's. Parts are then
  ///     of about equal size.
  /// - Complexity: O(m).
  public init(
    imageCount: Int, folds: Int = 1, fraction: Double = 0.2, seed: UInt64,
    groups: [UInt32]? = nil
  ) {
    precondition(folds >= 1 && fraction > 0 && fraction < 1, "a part of the images is held out")
    var generator = SeededGenerator(seed: seed, stream: 1)
    if let groups {
      var photographs = Photographs(groups).images
      generator.shuffle(&photographs)
      let wanted = folds == 1 ? fraction : 1 / Double(folds)
      var parts: [[Int]] = [[]]
      for images in photographs {
        let full = Double(parts.count) * wanted * Double(imageCount)
        if Double(parts.reduce(0) { $0 + $1.count }) >= full - 0.5, parts.count <= folds {
          parts.append([])
        }
        parts[parts.count - 1] += images
      }
      self.parts = parts.prefix(folds).map { $0.sorted() }
      self.imageCount = imageCount
      return
    }
    var images = Array(0..<imageCount)
    generator.shuffle(&images)
    if folds == 1 {
      let count = min(max(Int((Double(imageCount) * fraction).rounded()), 1), imageCount)
      parts = [images.prefix(count).sorted()]
    } else {
      parts = (0..<folds).map { fold in
        images[fold * imageCount / folds..<(fold + 1) * imageCount / folds].sorted()
      }
    }
    self.imageCount = imageCount
  }

  /// The images that are fitted to while a part is held out, in the order of the data.
  public func fitted(besides part: Int) -> [Int] {
    let heldOut = Set(parts[part])
    return (0..<imageCount).filter { !heldOut.contains($0) }
  }
}
