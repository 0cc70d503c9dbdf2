import TokenData
import TokenGrids

/// Features with the mean of the image's class taken off every image: what is estimated from them is given the class, and its
/// scatter is the pooled scatter within classes.
///
/// An image that is the only one of its class is left out: its own mean leaves nothing of it.
package struct ClassCentred<Base: TokenFeatures>: TokenFeatures {
  private let base: ImageSubset<Base>
  /// By image, counted from 0 without gaps.
  private let classes: [Int]
  /// C × n·d, row-major.
  private let means: [Double]

  /// Takes the means of all classes.
  ///
  /// - Throws: ``EstimationError`` for data without labels and for classes of one image only, `InsufficientMemory`, and what
  ///   reading the features throws.
  /// - Complexity: O(m·n·d), and C·n·d numbers of memory.
  package init(_ features: Base) throws {
    guard let labels = features.imageClasses else {
      throw EstimationError.noClasses(source: features.name)
    }
    var sizes: [UInt32: Int] = [:]
    for label in labels { sizes[label, default: 0] += 1 }
    let numbers = Dictionary(
      uniqueKeysWithValues: sizes.filter { $0.value > 1 }.keys.sorted().enumerated().map {
        ($1, $0)
      })
    guard !numbers.isEmpty else {
      throw EstimationError.oneImagePerClass(source: features.name, images: labels.count)
    }
    let images = labels.indices.filter { numbers[labels[$0]] != nil }
    let subset = ImageSubset(of: features, images: images)
    let classes = images.compactMap { numbers[labels[$0]] }
    let columns = features.grid.cellCount * features.featureDimensions
    try MomentsMemory.requireMeans(ofClasses: numbers.count, numbers: columns)
    var means = [Double](repeating: 0, count: numbers.count * columns)
    for start in stride(from: 0, to: images.count, by: 256) {
      let block = start..<min(start + 256, images.count)
      let rows = try subset.features(ofImages: block)
      means.withUnsafeMutableBufferPointer { means in
        rows.withUnsafeBufferPointer { rows in
          for (row, image) in block.enumerated() {
            let place = classes[image] * columns
            for j in 0..<columns { means[place + j] += Double(rows[row * columns + j]) }
          }
        }
      }
    }
    var counts = [Int](repeating: 0, count: numbers.count)
    for number in classes { counts[number] += 1 }
    for index in means.indices { means[index] /= Double(counts[index / columns]) }
    base = subset
    self.classes = classes
    self.means = means
  }

  package var name: String { base.name }
  package var grid: TokenGrid { base.grid }
  package var imageCount: Int { base.imageCount }
  package var featureDimensions: Int { base.featureDimensions }
  package var imageGroups: [UInt32]? { base.imageGroups }
  package var imageClasses: [UInt32]? { base.imageClasses }
  package var centredBy: [Int]? { classes }

  package func features(ofImages images: Range<Int>) throws -> [Float] {
    var rows = try base.features(ofImages: images)
    let columns = grid.cellCount * featureDimensions
    rows.withUnsafeMutableBufferPointer { rows in
      means.withUnsafeBufferPointer { means in
        for (row, image) in images.enumerated() {
          let (from, to) = (classes[image] * columns, row * columns)
          for j in 0..<columns { rows[to + j] = Float(Double(rows[to + j]) - means[from + j]) }
        }
      }
    }
    return rows
  }
}
