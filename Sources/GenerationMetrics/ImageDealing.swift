import Statistics
import TokenData
import TokenGrids

/// The images of a dataset, dealt at random into ten groups of whole photographs.
///
/// The core of a group is what it gives to sets of equal size (``EqualSizes``): the whole group, or as many of its images as
/// the other dataset can match.
public struct ImageDealing: Sendable {
  /// How many groups there are.
  static let groupCount = 10
  /// The photographs of each group's core, each with its images.
  private(set) var cores: [[[Int]]]
  /// The other photographs of each group.
  private(set) var rests: [[[Int]]]
  /// What dealt, for what else is drawn.
  let generator: SeededGenerator
  /// The number of images.
  let imageCount: Int

  /// Deals the images; cores are the whole groups.
  ///
  /// - Parameter purpose: What the images are for, for messages.
  /// - Throws: ``MetricError/tooFewImages(source:extractor:images:needed:)`` for fewer than two photographs a group.
  public init(of dataset: TokenDataset, purpose: String, seed: UInt64) throws {
    let needed = 2 * Self.groupCount
    guard dataset.imageCount >= needed else {
      throw MetricError.tooFewImages(
        source: dataset.name, extractor: purpose, images: dataset.imageCount, needed: needed)
    }
    var units = Photographs(dataset.imageIDs, imageCount: dataset.imageCount).images
    guard units.count >= needed else {
      throw MetricError.tooFewImages(
        source: dataset.name + " (photographs)", extractor: purpose, images: units.count,
        needed: needed)
    }
    var generator = SeededGenerator(seed: seed, stream: 2)
    generator.shuffle(&units)
    cores = (0..<Self.groupCount).map { group in
      Array(
        units[
          group * units.count / Self.groupCount..<(group + 1) * units.count / Self.groupCount])
    }
    rests = Array(repeating: [], count: Self.groupCount)
    self.generator = generator
    imageCount = dataset.imageCount
  }

  /// The fewest images that a group has.
  var smallestGroup: Int {
    zip(cores, rests).map { Self.images(in: $0) + Self.images(in: $1) }.min() ?? 0
  }

  /// The same groups with so many images in the core of each; nil where whole photographs do not make up that number.
  func withCores(of images: Int) -> ImageDealing? {
    var result = self
    for group in cores.indices {
      var (core, rest): ([[Int]], [[Int]]) = ([], [])
      var left = images
      for unit in cores[group] + rests[group] {
        if unit.count <= left {
          core.append(unit)
          left -= unit.count
        } else {
          rest.append(unit)
        }
      }
      guard left == 0 else { return nil }
      (result.cores[group], result.rests[group]) = (core, rest)
    }
    return result
  }

  /// The images in the cores of some groups.
  func coreImages(ofGroups groups: [Int]) -> [Int] {
    groups.flatMap { cores[$0].flatMap(\.self) }
  }

  private static func images(in units: [[Int]]) -> Int { units.reduce(0) { $0 + $1.count } }
}
