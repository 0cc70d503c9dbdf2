import LinearAlgebra
import Statistics
import Synchronization
import TokenData
import TokenGrids

/// A share of a source's images, read block by block: memory does not grow with their number, but for four bytes each of labels
/// and photographs.
public struct ShardImages: TokenFeatures {
  /// Which images these are.
  public let part: ShardPart
  /// The hash of the codebook; nil for continuous tokens.
  public let codebookHash: String?
  /// The names that labels index; empty where only numbers are known, nil without labels.
  public let classNames: [String]?
  /// The grid the tokens stand on.
  public let grid: TokenGrid
  /// d.
  public let featureDimensions: Int
  /// The photographs of the images, where several images share one.
  public let imageGroups: [UInt32]?
  /// The classes of the images.
  public let imageClasses: [UInt32]?

  private let blocks: BlockCache
  /// Where the images stand in the source; nil where they stand as they are counted.
  private let places: [Int]?

  /// Chooses a share.
  ///
  /// - Parameters:
  ///   - source: Tokens in memory or in a file.
  ///   - name: What the source is called in messages and files; nil for its path.
  /// - Throws: ``ShardError/emptyShare(source:images:shares:)``, and what reading the source throws.
  /// - Complexity: reads a file once for its hash; O(m).
  public init(
    of source: any DescribedTokens, share: NumberedPart = NumberedPart(1, of: 1),
    name: String? = nil
  ) throws {
    let name = name ?? source.place
    let count = source.imageCount
    var order: [Int]?
    let images: Range<Int>
    var photographs = count
    if let groups = source.imageGroups {
      photographs = Set(groups).count
      let chosen = Photographs(groups).part(share)
      images = chosen.places
      if chosen.images != Array(images) { order = chosen.images }
    } else {
      images = share.range(of: count)
    }
    // Where some share would be empty, all are refused alike.
    guard share.count <= photographs, !images.isEmpty else {
      throw ShardError.emptyShare(source: name, images: count, shares: share.count)
    }
    part = ShardPart(
      source: name, sourceHash: try source.identity(), images: images,
      sourceCount: count)
    codebookHash = source.codebook.map { TokenDataset.hash(ofCodebook: $0).description }
    classNames = source.labels?.names
    grid = source.grid
    featureDimensions = source.featureDimensions
    func chosen(_ values: [UInt32]?) -> [UInt32]? {
      values.map { values in order.map { $0.map { values[$0] } } ?? Array(values[images]) }
    }
    let groups = chosen(source.imageGroups)
    imageGroups = groups.flatMap { Set($0).count < $0.count ? $0 : nil }
    imageClasses = chosen(source.imageClasses)
    places = order
    blocks = BlockCache(source)
  }

  /// The place of an image in the source.
  public func placeInSource(of image: Int) -> Int {
    places?[image] ?? part.images.lowerBound + image
  }

  /// The name of the source.
  public var name: String { part.source }
  /// How many images there are.
  public var imageCount: Int { part.images.count }
  /// How many photographs they were cut from.
  public var photographCount: Int { imageGroups.map { Set($0).count } ?? imageCount }

  /// The features of a run of the images, row-major `images × n × d`.
  ///
  /// - Throws: What reading the source throws.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    guard let places else {
      let first = part.images.lowerBound
      return try blocks.features(first + images.lowerBound..<first + images.upperBound)
    }
    var result: [Float] = []
    result.reserveCapacity(images.count * grid.cellCount * featureDimensions)
    var first = images.lowerBound
    while first < images.upperBound {
      var end = first + 1
      while end < images.upperBound, places[end] == places[end - 1] + 1 { end += 1 }
      result += try blocks.features(places[first]..<places[end - 1] + 1)
      first = end
    }
    return result
  }
}

/// Reads a source in the blocks that suit it and keeps the last few, which threads ask for in small runs.
private final class BlockCache: Sendable {
  private enum Tokens {
    case codes([UInt32])
    case features([Float])
  }

  private let source: any DescribedTokens
  private let kept = Mutex<[(images: Range<Int>, tokens: Tokens)]>([])
  private let blockSize: Int
  /// Threads are at most two blocks apart.
  private static let mostKept = 3

  init(_ source: any DescribedTokens) {
    self.source = source
    blockSize = max(source.blocks.first?.count ?? 1, 1)
  }

  func features(_ images: Range<Int>) throws -> [Float] {
    // What is in memory needs no copy.
    if source is TokenDataset { return try source.features(ofImages: images) }
    let width = source.grid.cellCount * source.featureDimensions
    var result: [Float] = []
    var next = images.lowerBound
    while next < images.upperBound {
      let (block, tokens) = try block(of: next)
      let end = min(block.upperBound, images.upperBound)
      let (from, to) = (next - block.lowerBound, end - block.lowerBound)
      switch tokens {
      case .codes(let codes):
        let n = source.grid.cellCount
        let rows = source.codebook?.gatherRows(codes[from * n..<to * n]) ?? []
        if next == images.lowerBound, end == images.upperBound { return rows }
        result += rows
      case .features(let features): result += features[from * width..<to * width]
      }
      next = end
    }
    return result
  }

  private func block(of image: Int) throws -> (images: Range<Int>, tokens: Tokens) {
    let first = image / blockSize * blockSize
    return try kept.withLock { kept in
      if let found = kept.first(where: { $0.images.lowerBound == first }) { return found }
      let images = first..<min(first + blockSize, source.imageCount)
      let tokens: Tokens =
        source.codebook == nil
        ? .features(try source.features(ofImages: images))
        : .codes(try source.checkedCodes(ofImages: images))
      if kept.count == Self.mostKept { kept.removeFirst() }
      kept.append((images, tokens))
      return (images, tokens)
    }
  }
}
