import Files
import Foundation
import TokenGrids

/// Files of tokens put one behind the other: parts of a run that several processes made, or any that mean the same by their
/// codes.
///
/// Parts of a run (``RunPart``) come in the order of their images, and all must be there, once; other files as they are named.
public struct TokenConcatenation {
  private let files: [TokenDatasetFile]
  /// The number of images in all.
  public let imageCount: Int
  /// The grid of all files.
  public var grid: TokenGrid { files[0].grid }
  /// The paths in the order in which their images stand.
  public var paths: [String] { files.map(\.path) }

  /// Opens the files and checks that they go together.
  ///
  /// - Throws: ``TokenConcatenationError`` that names the files that do not; what is wrong with one.
  /// - Complexity: O(K·d + m) for each file; no tokens are read.
  public init(paths: [String]) throws {
    guard paths.count >= 2 else { throw TokenConcatenationError.tooFew }
    var files = try paths.map { try TokenDatasetFile(path: $0) }
    let first = files[0]
    for file in files.dropFirst() {
      for (what, isEqual) in [
        ("its grid", file.grid == first.grid), ("its codebook", file.codebook == first.codebook),
        ("its number of channels", file.featureDimensions == first.featureDimensions),
        ("its decoder", file.decoder == first.decoder),
        ("its tokenizer", file.attributes.tokenizer == first.attributes.tokenizer),
        ("whether it has labels", (file.labels == nil) == (first.labels == nil)),
        ("its names of classes", file.labels?.names == first.labels?.names),
        ("whether it numbers photographs", (file.imageIDs == nil) == (first.imageIDs == nil)),
        (
          "whether it is a part of a run",
          (file.attributes.part == nil) == (first.attributes.part == nil)
        ),
      ] where !isEqual {
        throw TokenConcatenationError.different(file: file.path, first: first.path, what: what)
      }
    }
    var known: [UInt32: Int] = [:]
    for (place, file) in files.enumerated() {
      for id in Set(file.imageIDs ?? []).sorted() {
        if let other = known.updateValue(place, forKey: id) {
          throw TokenConcatenationError.samePhotograph(
            file: file.path, other: files[other].path, number: id)
        }
      }
    }
    if first.attributes.part != nil { files = try Self.ordered(files) }
    self.files = files
    imageCount = files.reduce(0) { $0 + $1.imageCount }
  }

  /// The parts of a run in the order of their images.
  private static func ordered(_ files: [TokenDatasetFile]) throws -> [TokenDatasetFile] {
    func part(_ file: TokenDatasetFile) -> RunPart {
      file.attributes.part ?? RunPart(firstImage: 0, imagesInAll: file.imageCount)
    }
    let first = files[0]
    for file in files.dropFirst() {
      guard file.attributes.source == first.attributes.source,
        part(file).imagesInAll == part(first).imagesInAll
      else {
        throw TokenConcatenationError.different(
          file: file.path, first: first.path, what: "the run that it is a part of")
      }
    }
    let sorted = files.sorted { part($0).firstImage < part($1).firstImage }
    let total = part(first).imagesInAll
    var (end, before) = (0, sorted[0].path)
    for file in sorted {
      let start = part(file).firstImage
      if start < end {
        throw TokenConcatenationError.twice(
          file: file.path, other: before, images: start...min(end, start + file.imageCount) - 1)
      }
      if start > end { throw TokenConcatenationError.missing(images: end...start - 1, of: total) }
      (end, before) = (start + file.imageCount, file.path)
    }
    if end < total { throw TokenConcatenationError.missing(images: end...total - 1, of: total) }
    return sorted
  }

  /// Writes all images into one file.
  ///
  /// - Parameters:
  ///   - createdBy: The program, with its version and command line.
  ///   - progress: Told how many images are done.
  /// - Throws: What is wrong with a file's tokens, or `FileError`; then nothing is left behind.
  /// - Complexity: reads every file once, block by block.
  public func write(
    to path: String, createdBy: String, progress: (Int) -> Void = { _ in }
  ) throws {
    let first = files[0]
    var attributes = first.attributes
    attributes.createdBy = createdBy
    attributes.part = nil
    let sources = files.map(\.attributes.source)
    attributes.source = sources.allSatisfy { $0 == sources[0] } ? sources[0] : ""
    let licenses = files.map(\.attributes.license)
    attributes.license = licenses.allSatisfy { $0 == licenses[0] } ? licenses[0] : ""
    let writer = try TokenDatasetWriter(
      path: path, grid: grid,
      contents: first.codebook.map { .codes(codebook: $0) }
        ?? .features(dimensions: first.featureDimensions),
      labelNames: first.labels?.names ?? [], attributes: attributes, decoder: first.decoder)
    for file in files {
      for block in file.blocks {
        let labels = file.labels.map { Array($0.values[block]) } ?? []
        let ids = file.imageIDs.map { Array($0[block]) } ?? []
        if file.codebook != nil {
          try writer.append(codes: file.codes(ofImages: block), labels: labels, imageIDs: ids)
        } else {
          try writer.append(
            features: file.features(ofImages: block), labels: labels, imageIDs: ids)
        }
        progress(writer.imageCount)
      }
    }
    try writer.finish()
  }
}

/// Why files of tokens do not go together.
public enum TokenConcatenationError: Error, Equatable, CustomStringConvertible {
  /// There is nothing to put together.
  case tooFew
  /// Two files differ in something.
  case different(file: String, first: String, what: String)
  /// Two files number a photograph alike, and nobody knows whether it is the same.
  case samePhotograph(file: String, other: String, number: UInt32)
  /// Two parts hold the same images of a run.
  case twice(file: String, other: String, images: ClosedRange<Int>)
  /// No part holds some images of a run.
  case missing(images: ClosedRange<Int>, of: Int)

  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .tooFew: "there is one file; at least two are put together"
    case .different(let file, let first, let what):
      "\(file): differs from \(first) in \(what); only files that agree are put together"
    case .samePhotograph(let file, let other, let number):
      "\(file): photograph \(number) is in \(other) too, by its number; whether it is the same one nobody can tell"
    case .twice(let file, let other, let images):
      "\(file): images \(images.lowerBound) to \(images.upperBound) of the run are in \(other) too"
    case .missing(let images, let total):
      "images \(images.lowerBound) to \(images.upperBound) of the \(total) of the run are in none of the files; name all its parts"
    }
  }
}
