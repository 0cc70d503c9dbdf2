import CKernels

/// Some tokens of all images, each mapped by a matrix of its own (whitened, say), with the images of a token together: what
/// passes over pairs of tokens read.
package struct TokenColumns<Number: PairNumber>: Sendable {
  /// The images.
  package let imageCount: Int
  /// The coordinates of a token.
  package let width: Int
  /// How many tokens there are.
  package let tokenCount: Int
  /// Images stand in groups of sixteen: tokens × groups × width × 16, zero beyond the last image.
  let elements: [Number]

  /// Images that stand together.
  static var groupSize: Int { te_pair_group }
  var groupCount: Int { imageCount.dividedRoundingUp(by: Self.groupSize) }

  /// The bytes that a token takes.
  package static func bytesPerToken(imageCount: Int, width: Int) -> Int {
    imageCount.dividedRoundingUp(by: groupSize) * groupSize * width * MemoryLayout<Number>.size
  }

  /// Reads all images once.
  ///
  /// - Parameters:
  ///   - tokens: Which tokens, by their places in a row.
  ///   - mean: What is subtracted from a row, as many numbers as it has.
  ///   - transforms: What each of the tokens is multiplied by from the left, `width × width`, lower triangular.
  ///   - rows: Returns a run of images, row-major; called from several threads at once.
  /// - Throws: What `rows` throws.
  /// - Complexity: O(images · tokens · width²), on all cores.
  package init(
    imageCount: Int, tokens: [Int], mean: [Double], transforms: [Matrix],
    rows: @Sendable (Range<Int>) throws -> [Float]
  ) throws {
    precondition(tokens.count == transforms.count, "every token has its matrix")
    let width = transforms.first?.rows ?? 1
    let size = Self.groupSize
    let groups = imageCount.dividedRoundingUp(by: size)
    let matrices = transforms.map(\.elements)
    // A few groups at a time, so that what is written of a token is more than a line.
    let groupsPerRun = 4
    elements = try [Number](unsafeUninitializedCapacity: tokens.count * groups * width * size) {
      buffer, count in
      count = tokens.count * groups * width * size
      guard let base = buffer.baseAddress, count > 0 else { return }
      let shared = SharedPointer(base)
      try parallelFor(groups.dividedRoundingUp(by: groupsPerRun)) { task in
        let first = task * groupsPerRun * size
        let images = first..<min(first + groupsPerRun * size, imageCount)
        let values = try rows(images)
        values.withUnsafeBufferPointer { values in
          guard let from = values.baseAddress else { return }
          mean.withUnsafeBufferPointer { mean in
            for (place, token) in tokens.enumerated() {
              for start in stride(from: 0, to: images.count, by: size) {
                Number.pairKernels.whiten(
                  min(size, images.count - start), width, mean.count,
                  from + start * mean.count + token * width,
                  mean.baseAddress.unsafelyUnwrapped + token * width, matrices[place],
                  shared.base + (place * groups + (first + start) / size) * width * size)
              }
            }
          }
        }
      }
    }
    self.imageCount = imageCount
    self.width = width
    tokenCount = tokens.count
  }

  /// Calls `body` with the numbers of one token.
  func withToken<Result>(
    _ place: Int, _ body: (UnsafePointer<Number>) throws -> Result
  ) rethrows -> Result {
    try elements.withUnsafeBufferPointer {
      try body($0.baseAddress.unsafelyUnwrapped + place * groupCount * width * Self.groupSize)
    }
  }

  /// The squared length of a token in every image.
  ///
  /// - Complexity: O(images · width).
  package func squaredNorms(of place: Int) -> [Double] {
    var result = [Double](repeating: 0, count: groupCount * Self.groupSize)
    withToken(place) { Number.pairKernels.squaredNorms(groupCount, width, $0, &result) }
    result.removeLast(result.count - imageCount)
    return result
  }
}
