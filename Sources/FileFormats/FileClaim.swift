/// The one way from numbers that stand in a file to memory that is taken for them.
///
/// Extents, counts and sizes in a file may be anything: their product may not fit an `Int`, and a few bytes may claim to be
/// many. Every reader has them checked here before it allocates: the product must exist, be no larger than the reader's
/// limit, and be stored in the file, or have been compressed no further than somebody would in earnest.
package enum FileClaim {
  /// Why memory is not given.
  package enum Refusal: Error, Equatable {
    /// A negative number, or a product beyond 64 bits.
    case impossible
    /// More than the reader takes at all.
    case tooLarge(bytes: Int, limit: Int)
    /// More than the file holds.
    case notStored(bytes: Int, stored: Int)
    /// Out of so few bytes that nobody would have written it in earnest.
    case inflated(bytes: Int, stored: Int)
  }

  /// What is read however far it was compressed, 256 MiB: constant labels and blank pictures are small.
  package static let harmless = 1 << 28
  /// Beyond it, how many bytes one compressed byte may stand for. Numbers deflate to a half or a tenth; deflate's own
  /// limit is 1032.
  package static let largestCompression = 100

  /// The product of extents and the bytes of an element.
  ///
  /// - Throws: ``Refusal/impossible`` or ``Refusal/tooLarge(bytes:limit:)``.
  package static func bytes(
    _ extents: [Int], each elementBytes: Int = 1, limit: Int = .max
  ) throws(Refusal) -> Int {
    guard let bytes = checkedProduct(extents + [elementBytes]), bytes >= 0,
      extents.allSatisfy({ $0 >= 0 })
    else { throw .impossible }
    guard bytes <= limit else { throw .tooLarge(bytes: bytes, limit: limit) }
    return bytes
  }

  /// Makes sure that bytes stand in the file as they are.
  package static func check(_ bytes: Int, storedAs stored: Int) throws(Refusal) {
    guard bytes <= stored else { throw .notStored(bytes: bytes, stored: stored) }
  }

  /// Makes sure that bytes can have been compressed to those that stand in the file.
  package static func check(_ bytes: Int, compressedTo stored: Int) throws(Refusal) {
    guard bytes <= harmless || bytes / largestCompression <= max(0, stored) else {
      throw .inflated(bytes: bytes, stored: stored)
    }
  }
}

extension FileClaim.Refusal: CustomStringConvertible {
  /// What is wrong, to follow the name of what has the size.
  package var description: String {
    switch self {
    case .impossible: "has a size beyond 64 bits"
    case .tooLarge(let bytes, let limit): "takes \(bytes) bytes; at most \(limit) are read"
    case .notStored(let bytes, let stored):
      "takes \(bytes) bytes, and \(stored) are stored: it is cut short or damaged"
    case .inflated(let bytes, let stored):
      "claims to be \(bytes) bytes, compressed to \(stored), which no numbers of an experiment are"
    }
  }
}

/// The product of extents; nil where it does not fit an `Int`: a file may claim any.
func checkedProduct(_ extents: [Int]) -> Int? {
  if extents.contains(0) { return 0 }
  var product = 1
  for extent in extents {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    if overflow { return nil }
    product = next
  }
  return product
}
