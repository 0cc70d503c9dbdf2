import FileFormats
import Files
import Foundation
import LinearAlgebra
import TokenGrids

/// A token dataset in an HDF5 file, read block by block: a million images need not fit in memory.
///
/// The file holds `/codes` `(m, [T,] H, W)` of any integer type and `/codebook` `(K, d)`, or
/// `/features` `(m, [T,] H, W, d)`; `/labels` `(m)`, `/label_names` `(C)`, `/image_ids` `(m)`,
/// `/decoder` and the root attributes are optional. `/image_ids` numbers the photographs that the
/// images were cut from: equal numbers mark crops and mirror images of one photograph. What is small (codebook, labels) is read at once.
public final class TokenDatasetFile: TokenFeatures {
  /// The path as the user typed it.
  public let path: String
  /// The file's name without its folders.
  public let name: String
  /// The grid the tokens stand on.
  public let grid: TokenGrid
  /// m, the number of images that are used.
  public let imageCount: Int
  /// d, the number of channels of one token's feature.
  public let featureDimensions: Int
  /// The codebook `K × d`; nil for continuous tokens.
  public let codebook: FloatMatrix?
  /// The classes of the images that are used, where they are known.
  public let labels: TokenLabels?
  /// Which photograph every image that is used was cut from, where that is known.
  public let imageIDs: [UInt32]?
  /// Where the images come from and what made the tokens.
  public let attributes: TokenAttributes
  /// What turns the tokens back into images, where that is known.
  public let decoder: TokenDecoderParameters?
  /// How many images to read at a time: whole chunks of the file, a few megabytes.
  package let preferredBlockSize: Int

  /// What is taken off the features of an image, n·d numbers, before they are rounded to single precision; nil for nothing.
  private let origin: [Double]?
  /// Where the channels of continuous tokens stand in the file.
  let channels: ChannelPlacement
  private let tokens: HDF5Dataset
  private let check: TokenCheck

  /// Opens a file and checks all of it but the tokens, which are checked as they are read.
  ///
  /// - Parameters:
  ///   - path: an HDF5 file.
  ///   - limit: how many images to use, from the first on; nil, or more than there are, for all.
  ///   - centred: whether the place of the origin does not matter, as for entropies: where numbers of double precision have so
  ///     large a mean that single precision would lose what distinguishes the images, one image's numbers are then
  ///     taken off all of them. Such numbers are refused otherwise.
  ///   - channels: where the channels of /features stand; nil for last, unless the extents look otherwise: then the file is
  ///     refused.
  /// - Throws: ``TokenDataError`` that names the file and what is wrong with it.
  /// - Complexity: O(K·d + m).
  public init(
    path: String, limit: Int? = nil, centred: Bool = false, channels: ChannelPlacement? = nil
  ) throws {
    if let limit, limit < 1 { throw TokenDataError.invalidLimit(limit) }
    try checkIsReadableFile(path)
    guard HDF5Group.isHDF5(path) else {
      if let found = FileContent(ofFileAt: path).explanation {
        throw FileError.otherContent(
          path, found: found, expected: "a token dataset, an HDF5 file as `tokenize` writes it,")
      }
      throw TokenDataError.notHDF5(path)
    }
    self.path = path
    name = URL(fileURLWithPath: path).lastPathComponent

    let contents = try reportingDamage(to: path) {
      try Contents(root: .openFile(path), file: path, centred: centred, channels: channels)
    }
    self.channels = contents.channels
    tokens = contents.tokens
    grid = contents.grid
    codebook = contents.codebook
    featureDimensions = contents.featureDimensions
    attributes = contents.attributes
    decoder = contents.decoder
    let storedCount = contents.tokens.rowCount
    imageCount = min(limit ?? storedCount, storedCount)
    labels = contents.labels.map { [imageCount] in
      TokenLabels(values: Array($0.values.prefix(imageCount)), names: $0.names)
    }
    imageIDs = contents.imageIDs.map { [imageCount] in Array($0.prefix(imageCount)) }
    check = TokenCheck(file: path, grid: contents.grid)
    let chunk = tokens.rowsPerChunk ?? 1
    let wanted = max(1, (1 << 20) / tokens.elementsPerRow)
    preferredBlockSize = max(1, wanted / chunk) * chunk
    origin = try reportingDamage(to: path) {
      try contents.originOfFeatures(file: path, centred: centred)
    }
  }

  /// ``imageIDs`` where at least one photograph has several images.
  ///
  /// - Complexity: O(m).
  public var imageGroups: [UInt32]? {
    imageIDs.flatMap { Set($0).count < $0.count ? $0 : nil }
  }

  /// The numbers of ``labels``.
  public var imageClasses: [UInt32]? { labels?.values }

  /// The codes of a run of images, row-major `images × n`; each is a row of the codebook.
  ///
  /// Safe to call from several threads at once; they take turns at the file.
  ///
  /// - Throws: ``TokenDataError`` when a code is outside the codebook or the file is damaged.
  /// - Precondition: the tokens have a codebook.
  public func codes(ofImages images: Range<Int>) throws -> [UInt32] {
    precondition(images.lowerBound >= 0 && images.upperBound <= imageCount, "the images exist")
    guard let codebook else { preconditionFailure("continuous tokens have no codes") }
    return try reportingDamage(to: path) {
      if case .unsignedInteger(let bytes) = tokens.kind, bytes <= 4 {
        let codes = try tokens.read(rows: images, as: UInt32.self)
        try check.codes(codes, firstImage: images.lowerBound, codebookSize: codebook.rows)
        return codes
      }
      if case .unsignedInteger = tokens.kind {
        let codes = try tokens.read(rows: images, as: UInt64.self)
        try check.codes(codes, firstImage: images.lowerBound, codebookSize: codebook.rows)
        return codes.map { UInt32($0) }
      }
      let codes = try tokens.read(rows: images, as: Int64.self)
      try check.codes(codes, firstImage: images.lowerBound, codebookSize: codebook.rows)
      return codes.map { UInt32($0) }
    }
  }

  /// The features of a run of images, row-major `images × n × d`.
  ///
  /// Safe to call from several threads at once; they take turns at the file.
  ///
  /// - Throws: ``TokenDataError`` when a code is outside the codebook, a feature is not finite, or
  ///   the file is damaged.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    if let codebook { return codebook.gatherRows(try codes(ofImages: images)[...]) }
    precondition(images.lowerBound >= 0 && images.upperBound <= imageCount, "the images exist")
    return try reportingDamage(to: path) {
      if tokens.kind.isWiderThanFloat {
        let features = channelsLast(try tokens.read(rows: images, as: Double.self))
        try check.features(
          features, dimensions: featureDimensions, firstImage: images.lowerBound)
        guard let origin else { return features.map { Float($0) } }
        return features.indices.map { Float(features[$0] - origin[$0 % origin.count]) }
      }
      let features = channelsLast(try tokens.read(rows: images, as: Float.self))
      try check.features(
        features, dimensions: featureDimensions, firstImage: images.lowerBound)
      return features
    }
  }

  private func channelsLast<Value>(_ values: [Value]) -> [Value] {
    channels.channelsLast(values, cells: grid.cellCount, channels: featureDimensions)
  }

  /// The hash of the file's bytes.
  ///
  /// - Complexity: reads the whole file.
  public func contentHash() throws -> ContentHash { try ContentHash(ofFileAt: path) }

  /// The images in runs of `preferredBlockSize`.
  public var blocks: [Range<Int>] {
    stride(from: 0, to: imageCount, by: preferredBlockSize).map {
      $0..<min($0 + preferredBlockSize, imageCount)
    }
  }
}

extension TokenDataset {
  /// Reads a file into memory; ``TokenDatasetFile`` says what it may hold.
  ///
  /// - Parameters:
  ///   - path: an HDF5 file.
  ///   - limit: how many images to read, from the first on; nil, or more than there are, for all.
  ///   - centred: whether the place of the origin may be changed; see ``TokenDatasetFile``.
  ///   - channels: where the channels of features stand; see there, too.
  /// - Throws: ``TokenDataError`` that names the file and what is wrong with it, before anything is read where that is
  ///   more than memory holds.
  /// - Complexity: O(m·n + K·d) for codes, O(m·n·d) for features.
  public init(
    contentsOf path: String, limit: Int? = nil, centred: Bool = false,
    channels: ChannelPlacement? = nil
  ) throws {
    let file = try TokenDatasetFile(
      path: path, limit: limit, centred: centred, channels: channels)
    try file.requireMemory(images: file.imageCount)
    let tokens: Tokens
    if let codebook = file.codebook {
      var codes: [UInt32] = []
      codes.reserveCapacity(file.imageCount * file.grid.cellCount)
      for block in file.blocks { codes += try file.codes(ofImages: block) }
      tokens = .codes(codes, codebook: codebook)
    } else {
      var features: [Float] = []
      features.reserveCapacity(file.imageCount * file.grid.cellCount * file.featureDimensions)
      for block in file.blocks { features += try file.features(ofImages: block) }
      tokens = .features(features, dimensions: file.featureDimensions)
    }
    self.init(
      validated: file.name, grid: file.grid, imageCount: file.imageCount, tokens: tokens,
      labels: file.labels, imageIDs: file.imageIDs, attributes: file.attributes,
      decoder: file.decoder, path: path)
  }
}

/// Turns a failure of the HDF5 library into an error that names the file.
private func reportingDamage<Result>(to path: String, _ body: () throws -> Result) throws -> Result
{
  do {
    return try body()
  } catch let refusal as HDF5Refusal {
    throw TokenDataError.unusableDataset(path, dataset: refusal.dataset, reason: refusal.reason)
  } catch let failure as HDF5Failure {
    throw TokenDataError.damagedFile(path, reason: failure.description)
  } catch let damage as HDF5Damage {
    throw TokenDataError.damagedFile(path, reason: damage.description)
  }
}

/// Everything in a file but the tokens themselves, checked.
private struct Contents {
  static let tokenShapes = "(images, rows, columns) or (images, frames, rows, columns)"
  static let featureShapes =
    "(images, rows, columns, channels) or (images, frames, rows, columns, channels)"

  let tokens: HDF5Dataset
  let grid: TokenGrid
  let codebook: FloatMatrix?
  let featureDimensions: Int
  let channels: ChannelPlacement
  let labels: TokenLabels?
  let imageIDs: [UInt32]?
  let attributes: TokenAttributes
  let decoder: TokenDecoderParameters?

  init(root: HDF5Group, file: String, centred: Bool, channels: ChannelPlacement?) throws {
    self.channels = channels ?? .last
    try Self.checkFormat(root, file: file)
    if let codes = try root.dataset("codes") {
      guard codes.kind.isInteger else {
        throw TokenDataError.wrongElementType(file, dataset: "codes", expected: "whole numbers")
      }
      guard channels == nil else {
        throw TokenDataError.unusableDataset(
          file, dataset: "codes", reason: "has no channels: leave --channels out")
      }
      grid = try Self.grid(
        codes.name, codes.shape, trailing: 0, expected: Self.tokenShapes, file: file)
      guard let stored = try root.dataset("codebook") else {
        throw TokenDataError.missingDataset(
          file, dataset: "codebook", advice: "the codes in /codes need one of shape (K, d)")
      }
      guard stored.kind.isNumber else {
        throw TokenDataError.wrongElementType(file, dataset: "codebook", expected: "numbers")
      }
      guard stored.shape.count == 2 else {
        throw TokenDataError.wrongShape(
          file, dataset: "codebook", found: stored.shape, expected: "(entries, channels)")
      }
      let codebook = try Self.codebook(stored, file: file, centred: centred)
      try TokenCheck(file: file, grid: grid).codebook(codebook)
      (self.codebook, featureDimensions, tokens) = (codebook, codebook.columns, codes)
    } else if let features = try root.dataset("features") {
      guard features.kind.isNumber else {
        throw TokenDataError.wrongElementType(file, dataset: "features", expected: "numbers")
      }
      let shape = self.channels.channelsLast(features.shape) ?? features.shape
      if channels == nil, ChannelPlacement.isImplausiblyLast(shape) {
        throw TokenDataError.channelsFirst(file, dataset: "features", found: shape)
      }
      grid = try Self.grid(
        features.name, shape, trailing: 1, expected: Self.featureShapes, file: file)
      (codebook, featureDimensions, tokens) = (nil, shape.last ?? 0, features)
    } else {
      throw TokenDataError.missingDataset(
        file, dataset: "codes",
        advice: "/codes with /codebook, or /features, is expected")
    }
    guard tokens.rowCount > 0 else { throw TokenDataError.noImages(file) }
    labels = try Self.labels(root, images: tokens.rowCount, file: file)
    imageIDs = try Self.imageIDs(root, images: tokens.rowCount, file: file)
    attributes = TokenAttributes(
      tokenizer: try root.stringAttribute("tokenizer") ?? "",
      source: try root.stringAttribute("source") ?? "",
      license: try root.stringAttribute("license") ?? "",
      createdBy: try root.stringAttribute("created_by") ?? "",
      part: RunPart(
        firstImage: try root.integerAttribute("first_image"),
        imagesInAll: try root.integerAttribute("images_in_all"), images: tokens.rowCount))
    decoder = try Self.decoder(root)
  }

  /// A file that says what it is must say that it is this; one that says nothing is tried.
  private static func checkFormat(_ root: HDF5Group, file: String) throws {
    if try root.hasAttribute("format") {
      let format = try root.stringAttribute("format") ?? "not a string"
      guard format == "token-dataset" else {
        throw TokenDataError.wrongFormat(file, found: format)
      }
    }
    if try root.hasAttribute("format_version") {
      let version = try root.integerAttribute("format_version")
      guard version == 1 else {
        throw TokenDataError.wrongFormatVersion(
          file, found: version.map(String.init) ?? "not a number")
      }
    }
  }

  /// The grid in the extents of a dataset, after the images and before `trailing` others.
  private static func grid(
    _ dataset: String, _ shape: [Int], trailing: Int, expected: String, file: String
  ) throws -> TokenGrid {
    let extents = shape.dropFirst().dropLast(trailing)
    guard shape.count == extents.count + 1 + trailing, (2...3).contains(extents.count),
      shape.dropFirst().allSatisfy({ $0 > 0 })
    else {
      throw TokenDataError.wrongShape(file, dataset: dataset, found: shape, expected: expected)
    }
    let sides = Array(extents)
    return sides.count == 2
      ? TokenGrid(rows: sides[0], columns: sides[1])
      : TokenGrid(frames: sides[0], rows: sides[1], columns: sides[2])
  }

  /// The codebook in single precision.
  private static func codebook(
    _ stored: HDF5Dataset, file: String, centred: Bool
  ) throws -> FloatMatrix {
    let (rows, columns) = (stored.shape[0], stored.shape[1])
    guard stored.kind.isWiderThanFloat else {
      return FloatMatrix(
        rows: rows, columns: columns, elements: try stored.readAll(as: Float.self))
    }
    var values = try stored.readAll(as: Double.self)
    if let bad = values.firstIndex(where: { $0.isFinite && !Float($0).isFinite }) {
      throw TokenDataError.beyondSinglePrecision(
        file, place: "channel \(bad % columns) of codebook entry \(bad / columns)",
        value: values[bad])
    }
    if let lost = RoundingLoss(rows: values, columns: columns, known: rows) {
      guard centred else { throw lost.error(file, what: "/codebook") }
      for place in values.indices { values[place] -= lost.origin[place % columns] }
    }
    return FloatMatrix(rows: rows, columns: columns, elements: values.map { Float($0) })
  }

  /// What to take off features before they are rounded to single precision; nil for nothing.
  func originOfFeatures(file: String, centred: Bool) throws -> [Double]? {
    guard codebook == nil, tokens.kind.isWiderThanFloat else { return nil }
    let rows = min(tokens.rowCount, 64)
    let values = channels.channelsLast(
      try tokens.read(rows: 0..<rows, as: Double.self), cells: grid.cellCount,
      channels: featureDimensions)
    guard values.allSatisfy(\.isFinite),
      let lost = RoundingLoss(rows: values, columns: tokens.elementsPerRow, known: rows)
    else { return nil }
    guard centred else { throw lost.error(file, what: "/features") }
    return lost.origin
  }

  private static func labels(_ root: HDF5Group, images: Int, file: String) throws -> TokenLabels? {
    guard let stored = try root.dataset("labels") else { return nil }
    guard stored.kind.isInteger else {
      throw TokenDataError.wrongElementType(file, dataset: "labels", expected: "whole numbers")
    }
    guard stored.shape.count == 1 else {
      throw TokenDataError.wrongShape(
        file, dataset: "labels", found: stored.shape, expected: "(images)")
    }
    guard stored.rowCount == images else {
      throw TokenDataError.labelCountMismatch(file, labels: stored.rowCount, images: images)
    }
    var names: [String] = []
    if let storedNames = try root.dataset("label_names") {
      guard case .string = storedNames.kind else {
        throw TokenDataError.wrongElementType(file, dataset: "label_names", expected: "strings")
      }
      names = try storedNames.readStrings()
    }
    let check = TokenCheck(file: file, grid: TokenGrid(rows: 1, columns: 1))
    func checked<Value: FixedWidthInteger>(_ values: [Value]) throws -> TokenLabels {
      try check.labelValues(values, names: names.count)
      return TokenLabels(values: values.map { UInt32($0) }, names: names)
    }
    if case .unsignedInteger = stored.kind { return try checked(stored.readAll(as: UInt64.self)) }
    return try checked(stored.readAll(as: Int64.self))
  }

  private static func imageIDs(_ root: HDF5Group, images: Int, file: String) throws -> [UInt32]? {
    guard let stored = try root.dataset("image_ids") else { return nil }
    guard stored.kind.isInteger else {
      throw TokenDataError.wrongElementType(file, dataset: "image_ids", expected: "whole numbers")
    }
    guard stored.shape.count == 1 else {
      throw TokenDataError.wrongShape(
        file, dataset: "image_ids", found: stored.shape, expected: "(images)")
    }
    let check = TokenCheck(file: file, grid: TokenGrid(rows: 1, columns: 1))
    try check.imageIDs(count: stored.rowCount, images: images)
    return try stored.readAll(as: Int64.self).map { value in
      guard let id = UInt32(exactly: value) else {
        throw TokenDataError.wrongElementType(
          file, dataset: "image_ids", expected: "whole numbers of 32 bits")
      }
      return id
    }
  }

  private static func decoder(_ root: HDF5Group) throws -> TokenDecoderParameters? {
    guard let group = try root.group("decoder"), let kind = try group.stringAttribute("kind") else {
      return nil
    }
    var arrays: [String: TokenDecoderParameters.Parameter] = [:]
    for name in try group.memberNames() {
      guard let dataset = try group.dataset(name), dataset.kind.isNumber else { continue }
      arrays[name] = TokenDecoderParameters.Parameter(
        shape: dataset.shape, values: try dataset.readAll(as: Float.self))
    }
    return TokenDecoderParameters(kind: kind, arrays: arrays)
  }
}
