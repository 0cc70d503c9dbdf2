import TokenData

/// The images in runs that are summed one by one and whose sums are then added in order: how they are cut depends on the data
/// alone, so that the same data give the same bits on any number of threads.
struct ImageChunks: Sendable {
  /// Runs of images; a photograph's images stand in one.
  let chunks: [Range<Int>]
  /// For each image 1 where it does not belong to the photograph of the one before, else 0.
  let starts: [UInt8]
  /// For each image the leverage of the means: 1/m, or one over the images of its class.
  let baseLeverages: [Double]

  /// Images that are whitened together: enough for matrix products to run at full speed.
  static let imagesPerBlock = 512

  /// Cuts the images of some features.
  ///
  /// - Parameters:
  ///   - bytesPerChunk: What the sums of a chunk take; with large ones there are fewer chunks.
  ///   - baseLeverages: As ``baseLeverages``, where means were taken of more images than these; nil where of these.
  init(of features: some TokenFeatures, bytesPerChunk: Int, baseLeverages: [Double]? = nil) {
    let m = features.imageCount
    starts = features.startsOfGroups.map { $0 ? 1 : 0 }
    let most = max(1, min(16, 256 << 20 / max(bytesPerChunk, 1)))
    let count = max(1, min(most, m / 64))
    var bounds = [0]
    for chunk in 1..<max(count, 1) {
      var bound = max(chunk * m / count, bounds[bounds.count - 1])
      while bound < m, starts[bound] == 0 { bound += 1 }
      bounds.append(bound)
    }
    bounds.append(m)
    chunks = zip(bounds, bounds.dropFirst()).map { $0..<$1 }.filter { !$0.isEmpty }
    if let baseLeverages {
      precondition(baseLeverages.count == m, "a leverage for every image")
      self.baseLeverages = baseLeverages
    } else {
      let means = FittedMeans(imageCount: m, centredBy: features.centredBy)
      self.baseLeverages = (0..<m).map(means.baseLeverage)
    }
  }

  /// The blocks of a chunk, of about equal size.
  func blocks(of chunk: Range<Int>) -> [Range<Int>] {
    let count = (chunk.count + Self.imagesPerBlock - 1) / Self.imagesPerBlock
    return (0..<count).map {
      chunk.lowerBound + $0 * chunk.count / count..<chunk.lowerBound
        + ($0 + 1) * chunk.count / count
    }
  }
}

extension TokenFeatures {
  /// How many means have been taken off.
  var meanCount: Int { centredBy.map { Set($0).count } ?? 1 }
}
