import Statistics
import TokenData
import TokenGrids

/// Sets of equal size, for numbers that depend on how many images they are computed from: again and again one half of the real
/// images is compared with as many generated ones, and with the other half, which is the noise floor.
///
/// What a perfect generator draws is to one half of the real images as the other half is. Everything here has N images on
/// both sides; N is half of the real images, or all of the generated ones where those are fewer.
public struct EqualSizes: Sendable {
  /// Why nothing can be compared at equal size.
  public enum Obstacle: Error, Hashable, CustomStringConvertible {
    /// Sets of `images` images, where `needed` are.
    case tooFewImages(images: Int, needed: Int)
    /// Whole photographs do not make up equal numbers of images.
    case unequalPhotographs

    /// One sentence for the user.
    public var description: String {
      switch self {
      case .tooFewImages(let images, let needed):
        "no noise floor: half of the real images, and as many generated ones, are \(images), and \(needed) are needed"
      case .unequalPhotographs:
        "no noise floor: images come several to a photograph, in numbers of which no two equal halves can be made"
      }
    }
  }

  /// N, the images of each set.
  public let images: Int
  /// The groups of the real images, with cores of N/5 images.
  public let real: ImageDealing
  /// Those of the generated images.
  public let generated: ImageDealing
  /// Whether a set takes the cores of all groups of the generated images, and not of half of them.
  private let takesAllGenerated: Bool
  /// For each split the groups of the first half of the real images.
  private let firstHalves: [[Int]]

  /// How many splits there are.
  public var splitCount: Int { firstHalves.count }

  /// The most splits, of the 126 that ten groups have.
  public static let mostSplits = 50

  /// Plans the sets.
  ///
  /// - Parameters:
  ///   - needed: How many images a set must have.
  ///   - splits: How many splits, at most ``mostSplits``; all different, and none another's halves exchanged.
  /// - Throws: ``Obstacle``.
  public init(
    real: ImageDealing, generated: ImageDealing, needed: Int, splits: Int, seed: UInt64
  ) throws(Obstacle) {
    precondition((1...Self.mostSplits).contains(splits), "ten groups have so many different halves")
    let groups = ImageDealing.groupCount
    takesAllGenerated = generated.smallestGroup < real.smallestGroup
    // From all ten groups come half as many images of each.
    let parts = takesAllGenerated ? 2 : 1
    let most = min(real.smallestGroup / parts, generated.smallestGroup)
    var found: (Int, ImageDealing, ImageDealing)?
    for core in stride(from: most, to: max(most - 64, 0), by: -1) {
      if let a = real.withCores(of: core * parts), let b = generated.withCores(of: core) {
        found = (core * parts * groups / 2, a, b)
        break
      }
    }
    guard let found else { throw .unequalPhotographs }
    guard found.0 >= needed else { throw .tooFewImages(images: found.0, needed: needed) }
    (images, self.real, self.generated) = found
    var generator = SeededGenerator(seed: seed, stream: 5)
    var halves: [[Int]] = []
    while halves.count < splits {
      var all = Array(0..<groups)
      generator.shuffle(&all)
      let half = all[..<(groups / 2)].sorted()
      let known = halves.contains { $0 == half || Self.others($0) == half }
      if !known { halves.append(half) }
    }
    firstHalves = halves
  }

  private static func others(_ groups: [Int]) -> [Int] {
    (0..<ImageDealing.groupCount).filter { !groups.contains($0) }
  }

  /// The groups of the two halves of the real images, and of the generated ones.
  ///
  /// The latter are those of the second half, so that a dataset that is compared with itself scores the noise floor.
  func groups(ofSplit split: Int) -> (real: [Int], otherReal: [Int], generated: [Int]) {
    let (first, second) = (firstHalves[split], Self.others(firstHalves[split]))
    return (first, second, takesAllGenerated ? Array(0..<ImageDealing.groupCount) : second)
  }

  /// The images of the two halves of the real ones, and of the generated ones: N of each.
  public func images(
    ofSplit split: Int
  ) -> (real: [Int], otherReal: [Int], generated: [Int]) {
    let groups = groups(ofSplit: split)
    return (
      real.coreImages(ofGroups: groups.real), real.coreImages(ofGroups: groups.otherReal),
      generated.coreImages(ofGroups: groups.generated)
    )
  }
}

/// What is measured at equal size: for each split the generated images, and other real ones, against the same real ones.
public struct EqualSizeComparison: Sendable {
  /// Generated against real images, a comparison for each split.
  public let generated: [ProxyComparison]
  /// Real against other real images: the noise floor, a comparison for each split.
  public let noiseFloor: [ProxyComparison]

  /// Compares the features of images that were dealt as `sizes` says.
  ///
  /// - Throws: As ``ProxyComparison/init(real:generated:neighbors:)``.
  /// - Complexity: a quarter of a comparison of all images twice for each split.
  public init(
    real: FeatureSet, generated: FeatureSet, sizes: EqualSizes, neighbors: [Int]
  ) throws {
    var (values, floors): ([ProxyComparison], [ProxyComparison]) = ([], [])
    for split in 0..<sizes.splitCount {
      let groups = sizes.groups(ofSplit: split)
      let half = real.cores(ofGroups: groups.real)
      values.append(
        try ProxyComparison(
          real: half, generated: generated.cores(ofGroups: groups.generated), neighbors: neighbors))
      floors.append(
        try ProxyComparison(
          real: half, generated: real.cores(ofGroups: groups.otherReal), neighbors: neighbors))
    }
    self.generated = values
    noiseFloor = floors
  }
}
