import SystemResources
import TokenGrids

/// Why sums of shards cannot be made, merged, written or read.
public enum ShardError: Error, Hashable, Sendable {
  /// A share of a source without an image.
  case emptyShare(source: String, images: Int, shares: Int)
  /// A file that is no HDF5 file, or one of other contents.
  case otherContent(String, found: String, expected: String)
  /// A version that this program does not know.
  case otherVersion(String, found: String)
  /// The file is cut short or damaged.
  case damaged(String, reason: String)
  /// Something in the file contradicts something else in it.
  case inconsistent(String, reason: String)
  /// Two files hold sums that cannot be added: `what` is `codebook` or the like.
  case different(
    what: String, first: String, firstValue: String, second: String, secondValue: String)
  /// A run of images would be counted twice.
  case twice(part: ShardPart, file: String)
  /// Two runs are of one file that was read in two ways.
  case otherReading(part: ShardPart, of: ShardPart, file: String)
  /// Runs of images are missing of sources of which others are there.
  case incomplete(String, missing: [ShardPart])
  /// Sums were made of images that are not among those of the moments, or the other way.
  case otherImages(String, than: String, part: ShardPart, isMissing: Bool)
  /// Images that were to be others are among those of the moments.
  case sameImages(String, moments: String, part: ShardPart)
  /// Sums were made with other moments.
  case otherMoments(String, of: String)
  /// There is no label for the images, or classes were left out.
  case noClasses(String)
  /// Every image is the only one of its class.
  case oneImagePerClass(String, images: Int)
  /// An order that sums were not made for.
  case otherOrder(String, order: String, has: [String])
  /// Sums that were made with another condition or jitter than is asked for.
  case otherSettings(String, isGivenClass: Bool, jitter: Double)
  /// Influences that are not too noisy, for which the third phase is not to be repeated.
  case settled(String)
  /// Images without labels, where sums are given the class.
  case noLabels(String)
  /// Sums of the third phase were expected, or not expected.
  case otherPhase(String, found: String, expected: String)
  /// Scatters that turned out too noisy, so that the third phase is to be repeated with other weights.
  case noisyScatters(String, order: String, tokens: Int)
  /// The numbers of what is to be read or made do not fit into memory.
  case tooLittleMemory(String, InsufficientMemory)
}

extension ShardError: CustomStringConvertible {
  /// What was found, what was expected and what to do, in one sentence.
  public var description: String {
    switch self {
    case .emptyShare(let source, let images, let shares):
      "\(source): one of \(shares) shares of its \(images) images has none, since images of a photograph stay together; use fewer"
        + " shares"
    case .otherContent(let file, let found, let expected):
      "\(file): \(found); \(expected) expected"
    case .otherVersion(let file, let found):
      "\(file): the attribute format_version is \(found); this program reads version 1"
    case .damaged(let file, let reason):
      "\(file): the HDF5 file is truncated or damaged: \(reason)"
    case .inconsistent(let file, let reason): "\(file): \(reason)"
    case .different(let what, let first, let a, let second, let b):
      "\(second): its \(what) is \(b), and that of \(first) is \(a); only sums of one kind add up"
    case .twice(let part, let file):
      "\(file): \(part) would be counted twice"
    case .otherReading(let part, let other, let file):
      "\(file): \(part) and \(other) are of the same array, read with other labels, crops or channels; every shard of an array"
        + " is read in one way"
    case .incomplete(let file, let missing):
      "\(file): \(Self.list(missing)) are missing; only `moments merge --partial` goes on without"
    case .otherImages(let file, let moments, let part, true):
      "\(file): \(part) are missing, which \(moments) holds; make and merge its sums too"
    case .otherImages(let file, let moments, let part, false):
      "\(file): holds \(part), which \(moments) does not"
    case .sameImages(let file, let moments, let part):
      "\(file): \(moments) holds \(part), which has the same contents; what is chosen by and reported from must be other images"
    case .otherMoments(let file, let moments):
      "\(file): was made with moments of other contents than \(moments); every phase takes the same file of merged moments"
    case .noClasses(let file):
      "\(file): holds no means of classes, which entropies given the class need; accumulate from labelled images, without"
        + " --no-classes"
    case .oneImagePerClass(let file, let images):
      "\(file): each of its \(images) images is the only one of its class, so that nothing is left within classes"
    case .otherOrder(let file, let order, let has):
      has.contains(order)
        ? "\(file): its sums for \(order) were made with other steps than that has now"
        : "\(file): has no sums for \(order); it has those for \(has.joined(separator: ", "))"
    case .otherSettings(let file, let isGivenClass, let jitter):
      "\(file): its sums are \(isGivenClass ? "" : "not ")given the class, with jitter \(jitter); estimate from them with"
        + " \(isGivenClass ? "--given class" : "no --given") and \(jitter > 0 ? "--jitter \(jitter)" : "no --jitter")"
    case .settled(let file):
      "\(file): its influences are settled, and need not be taken again; order-compare takes them as they are"
    case .noLabels(let file):
      "\(file): has no labels, which sums given the class need"
    case .otherPhase(let file, let found, let expected):
      "\(file): holds \(found); \(expected) expected"
    case .noisyScatters(let file, let order, let tokens):
      "\(file): the weighted scatters of \(tokens) token\(tokens == 1 ? "" : "s") in \(order) are too noisy, because images are"
        + " few; run `moments influences --residuals \(file)` over the shards once more, which gives them other weights"
    case .tooLittleMemory(let file, let error): "\(file): \(error)"
    }
  }

  private static func list(_ parts: [ShardPart]) -> String {
    let named = parts.prefix(3).map(\.description).joined(separator: ", ")
    return parts.count > 3 ? "\(named) and \(parts.count - 3) more" : named
  }
}
