import Files

/// A run of images of one source that sums were made of.
///
/// Images are counted with those of a photograph together: as they stand in the source where they stand so there.
public struct ShardPart: Hashable, Sendable {
  /// The source as the user named it.
  public let source: String
  /// The hash of the source's contents; after a plus sign that of what was said beside it, such as labels of an array.
  public let sourceHash: String
  /// The images.
  public let images: Range<Int>
  /// How many images the source has.
  public let sourceCount: Int

  /// Names a run of images.
  public init(source: String, sourceHash: String, images: Range<Int>, sourceCount: Int) {
    (self.source, self.sourceHash) = (source, sourceHash)
    (self.images, self.sourceCount) = (images, sourceCount)
  }

  /// Whether both were read from one file, whatever was said beside it.
  func isOfTheFile(of other: ShardPart) -> Bool {
    sourceHash.prefix { $0 != "+" } == other.sourceHash.prefix { $0 != "+" }
  }
}

extension ShardPart: CustomStringConvertible {
  /// Such as `all 10,000 images of a.h5` or `images 0 to 99 of a.h5`.
  public var description: String {
    images.count == sourceCount
      ? "all \(sourceCount) images of \(source)"
      : images.count == 1
        ? "image \(images.lowerBound) of \(source)"
        : "images \(images.lowerBound) to \(images.upperBound - 1) of \(source)"
  }
}

/// The parts that sums were made of.
public struct ShardParts: Hashable, Sendable {
  /// Sorted, so that sums that were merged in another order have the same.
  public private(set) var parts: [ShardPart]

  /// Sorts parts.
  ///
  /// - Throws: ``ShardError/twice(part:file:)`` where two share images; ``ShardError/otherReading(part:of:file:)`` where two
  ///   are of one file with something else said beside it: the photographs are then the same, whatever was read of them.
  init(_ parts: [ShardPart], file: String) throws(ShardError) {
    self.parts = parts.sorted {
      ($0.sourceHash, $0.images.lowerBound) < ($1.sourceHash, $1.images.lowerBound)
    }
    // What is of one file stands together, since the hash of the file comes first.
    for (a, b) in zip(self.parts, self.parts.dropFirst()) where a.isOfTheFile(of: b) {
      guard a.sourceHash == b.sourceHash else { throw .otherReading(part: b, of: a, file: file) }
      guard !a.images.overlaps(b.images) else { throw .twice(part: b, file: file) }
    }
  }

  /// Those of both.
  ///
  /// - Parameter file: Where the others come from.
  func merged(with others: ShardParts, file: String) throws(ShardError) -> ShardParts {
    try ShardParts(parts + others.parts, file: file)
  }

  /// The runs of images that are missing where of a source some are there.
  public var missing: [ShardPart] {
    var missing: [ShardPart] = []
    for run in Dictionary(grouping: parts, by: \.sourceHash).sorted(by: { $0.key < $1.key }) {
      var next = 0
      guard let source = run.value.first else { continue }
      func note(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        missing.append(
          ShardPart(
            source: source.source, sourceHash: source.sourceHash, images: range,
            sourceCount: source.sourceCount))
      }
      for part in run.value {
        note(next..<max(part.images.lowerBound, next))
        next = part.images.upperBound
      }
      note(next..<max(source.sourceCount, next))
    }
    return missing
  }

  /// The parts of these that others do not have.
  func beyond(_ others: ShardParts) -> [ShardPart] {
    // Parts may have been cut elsewhere: what counts is the images.
    parts.filter { part in
      var next = part.images.lowerBound
      for other in others.parts where other.sourceHash == part.sourceHash {
        if other.images.lowerBound <= next { next = max(next, other.images.upperBound) }
      }
      return next < part.images.upperBound
    }
  }
}
