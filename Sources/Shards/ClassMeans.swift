import EntropyEstimation
import LinearAlgebra
import TokenData
import TokenGrids

/// How many images of each class there are, and their mean features.
public struct ClassMeans: Sendable {
  /// The labels, ascending.
  public private(set) var labels: [UInt32]
  /// By label, how many images there are.
  public private(set) var counts: [Int]
  /// By label, the mean of n·d numbers.
  public private(set) var means: [Double]
  /// The names that labels index; empty where only numbers are known.
  public let names: [String]
  /// n·d.
  let numbers: Int

  init(labels: [UInt32], counts: [Int], means: [Double], names: [String], numbers: Int) {
    (self.labels, self.counts, self.means) = (labels, counts, means)
    (self.names, self.numbers) = (names, numbers)
  }

  /// Takes the means of all classes.
  ///
  /// - Throws: What reading the images throws.
  /// - Complexity: O(m·n·d), on all cores.
  init(of images: some TokenFeatures, labels: [UInt32], names: [String]) throws {
    let columns = images.grid.cellCount * images.featureDimensions
    let known = Set(labels).sorted()
    try MomentsMemory.requireMeans(ofClasses: known.count, numbers: columns)
    let places = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, $0) })
    var counts = [Int](repeating: 0, count: known.count)
    let classes = labels.map { places[$0] ?? 0 }
    for number in classes { counts[number] += 1 }
    var sums = [Double](repeating: 0, count: known.count * columns)
    let stripe = 512
    let stripes = (columns + stripe - 1) / stripe
    for start in stride(from: 0, to: images.imageCount, by: 256) {
      let block = start..<min(start + 256, images.imageCount)
      let rows = try images.features(ofImages: block)
      sums.withUnsafeMutableBufferPointer { sums in
        rows.withUnsafeBufferPointer { rows in
          classes.withUnsafeBufferPointer { classes in
            guard let sums = sums.baseAddress, let rows = rows.baseAddress else { return }
            let shared = (SharedPointer(sums), SharedPointer(UnsafeMutablePointer(mutating: rows)))
            let ofBlock = Array(classes[block])
            // A stripe of columns belongs to one thread, so that sums are repeatable.
            parallelFor(stripes) { index in
              let range = index * stripe..<min((index + 1) * stripe, columns)
              for (row, number) in ofBlock.enumerated() {
                let (to, from) = (
                  shared.0.base + number * columns, shared.1.base + row * columns
                )
                for j in range { to[j] += Double(from[j]) }
              }
            }
          }
        }
      }
    }
    for index in sums.indices { sums[index] /= Double(counts[index / columns]) }
    self.init(labels: known, counts: counts, means: sums, names: names, numbers: columns)
  }

  /// Adds the means of other images.
  ///
  /// - Complexity: O(C·n·d).
  mutating func merge(_ other: ClassMeans) {
    let all = Set(labels).union(other.labels).sorted()
    var counts: [Int] = []
    var means: [Double] = []
    means.reserveCapacity(all.count * numbers)
    let (own, others) = (places, other.places)
    for label in all {
      switch (own[label], others[label]) {
      case (let a?, let b?):
        let (m, n) = (self.counts[a], other.counts[b])
        let share = Double(n) / Double(m + n)
        let (mine, theirs) = (mean(a), other.mean(b))
        means += zip(mine, theirs).map { $0 + ($1 - $0) * share }
        counts.append(m + n)
      case (let a?, nil):
        means += mean(a)
        counts.append(self.counts[a])
      case (nil, let b?):
        means += other.mean(b)
        counts.append(other.counts[b])
      case (nil, nil): break
      }
    }
    (labels, self.counts, self.means) = (all, counts, means)
  }

  /// The places of labels.
  var places: [UInt32: Int] {
    Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
  }

  /// The mean of the class at a place.
  func mean(_ place: Int) -> ArraySlice<Double> { means[place * numbers..<(place + 1) * numbers] }

  /// How many images are the only ones of their class.
  public var aloneCount: Int { counts.count { $0 == 1 } }
}

/// Images with the mean of their class taken off, as it is over all shards; those that are alone in their class are left out.
struct CentredShard: TokenFeatures {
  private let base: ImageSubset<ShardImages>
  private let means: ClassMeans
  /// By image, the place of its class.
  private let classes: [Int]

  /// - Throws: ``ShardError/noLabels(_:)`` for images without labels, and for a label that is not among the means.
  init(_ images: ShardImages, _ means: ClassMeans) throws {
    guard let labels = images.imageClasses else { throw ShardError.noLabels(images.name) }
    let places = means.places
    let all = try labels.map { label in
      guard let place = places[label] else {
        throw ShardError.inconsistent(
          images.name, reason: "has images of class \(label), of which the moments have none")
      }
      return place
    }
    let kept = all.indices.filter { means.counts[all[$0]] > 1 }
    base = ImageSubset(of: images, images: kept)
    classes = kept.map { all[$0] }
    self.means = means
  }

  var name: String { base.name }
  var grid: TokenGrid { base.grid }
  var imageCount: Int { base.imageCount }
  var featureDimensions: Int { base.featureDimensions }
  var imageGroups: [UInt32]? { base.imageGroups }

  /// One over the images of each image's class.
  var baseLeverages: [Double] { classes.map { 1 / Double(means.counts[$0]) } }

  func features(ofImages images: Range<Int>) throws -> [Float] {
    var rows = try base.features(ofImages: images)
    let columns = means.numbers
    rows.withUnsafeMutableBufferPointer { rows in
      means.means.withUnsafeBufferPointer { means in
        for (row, image) in images.enumerated() {
          let (from, to) = (classes[image] * columns, row * columns)
          for j in 0..<columns { rows[to + j] = Float(Double(rows[to + j]) - means[from + j]) }
        }
      }
    }
    return rows
  }
}
