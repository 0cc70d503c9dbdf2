import TokenData
import TokenGrids

/// Some of the images of other features, in any order and with repeats.
public struct ImageSubset<Base: TokenFeatures>: TokenFeatures {
  /// Where the images come from.
  public let base: Base
  /// The numbers of the images.
  public let images: [Int]

  /// Chooses images.
  ///
  /// - Precondition: every number is that of an image of `base`.
  public init(of base: Base, images: [Int]) {
    precondition(images.allSatisfy { (0..<base.imageCount).contains($0) }, "the images exist")
    self.base = base
    self.images = images
  }

  /// The name of the whole.
  public var name: String { base.name }
  /// The grid the tokens stand on.
  public var grid: TokenGrid { base.grid }
  /// How many images were chosen.
  public var imageCount: Int { images.count }
  /// d.
  public var featureDimensions: Int { base.featureDimensions }

  /// The photographs of the chosen images.
  public var imageGroups: [UInt32]? { base.imageGroups.map { groups in images.map { groups[$0] } } }

  /// The classes of the chosen images.
  public var imageClasses: [UInt32]? { base.imageClasses.map { all in images.map { all[$0] } } }

  /// What has been taken off the whole's images; for a subset that has all of a group or none, and any order of them.
  public var centredBy: [Int]? { base.centredBy.map { all in images.map { all[$0] } } }

  /// The features of a run of the chosen images, row-major `images × n × d`; runs that are neighbours in the whole are read
  /// together.
  ///
  /// - Throws: What reading the whole throws.
  public func features(ofImages range: Range<Int>) throws -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(range.count * grid.cellCount * featureDimensions)
    var first = range.lowerBound
    while first < range.upperBound {
      var end = first + 1
      while end < range.upperBound, images[end] == images[end - 1] + 1 { end += 1 }
      result += try base.features(ofImages: images[first]..<images[end - 1] + 1)
      first = end
    }
    return result
  }
}
