import Foundation
import Statistics
import TokenData
import TokenGrids

/// Writes any number of images of about the embedded data's law, in one file or several.
///
/// An image is one of the embedded images, drawn at random, of which every token is replaced, with the probability ``mixing``, by
/// the token that another embedded image, drawn anew for each token, has at the same cell. So every token has the embedded data's own law,
/// dependences between tokens are theirs times (1 − mixing)², and however many images there are, the covariance
/// of all tokens is not singular, as it would be if there were only the embedded images, again and again. Images are
/// independent draws of this law; what the embedded photographs are a sample of is not in it.
///
/// Image i is drawn from the stream i of the seed: it has the same tokens whatever file it stands in.
struct SyntheticShards {
  /// With what probability a token comes from another image.
  static let mixing = 0.1
  /// Images that are drawn and written at a time.
  private static let imagesPerBlock = 2048

  /// The embedded data.
  let source: TokenDataset
  let images: Int
  let parts: Int
  let seed: UInt64

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// - Throws: ``Failure`` for fewer images than parts, and data without codes.
  init(source: TokenDataset, images: Int, parts: Int, seed: UInt64) throws {
    guard parts > 0, images >= parts else {
      throw Failure(description: "\(images) images cannot be written in \(parts) parts")
    }
    guard source.codes != nil else {
      throw Failure(description: "\(source.name): has no codes to draw from")
    }
    self.source = source
    self.images = images
    self.parts = parts
    self.seed = seed
  }

  /// The images of a part, counted from 0.
  func images(ofPart part: Int) -> Range<Int> {
    part * images / parts..<(part + 1) * images / parts
  }

  /// The file of a part: `shard-1-of-10.h5` for the first of ten, with zeros so that names sort.
  func name(ofPart part: Int) -> String {
    let width = String(parts).count
    let number = String(part + 1)
    return
      "shard-\(String(repeating: "0", count: width - number.count))\(number)-of-\(parts).h5"
  }

  /// What a part's file says it holds; a file that says the same is not written again.
  func origin(ofPart part: Int) -> String {
    let range = images(ofPart: part)
    return "images \(range.lowerBound) to \(range.upperBound - 1) of seed \(seed): images of"
      + " \(source.name), each token with probability \(Self.mixing) from another of them"
  }

  /// The codes of some images, row-major.
  ///
  /// - Complexity: O(images · n).
  func codes(ofImages range: Range<Int>) -> [UInt32] {
    guard let embedded = source.codes else { preconditionFailure("the data have codes") }
    let n = source.grid.cellCount
    return [UInt32](unsafeUninitializedCapacity: range.count * n) { result, count in
      count = range.count * n
      guard let base = result.baseAddress else { return }
      embedded.withUnsafeBufferPointer { embedded in
        for (row, image) in range.enumerated() {
          var generator = SeededGenerator(seed: seed, stream: UInt64(image))
          let first = generator.nextIndex(below: source.imageCount) * n
          for cell in 0..<n {
            let isOwn = generator.nextUniform() >= Self.mixing
            let origin = isOwn ? first : generator.nextIndex(below: source.imageCount) * n
            base[row * n + cell] = embedded[origin + cell]
          }
        }
      }
    }
  }

  /// Writes the parts that are not there yet, each under its name only once it is complete.
  ///
  /// - Throws: ``Failure`` for a file of that name with other contents; what writing throws.
  /// - Complexity: O(images · n); memory does not depend on the number of images.
  func write(to folder: String, progress: (String) -> Void) throws {
    guard let codebook = source.codebook else { preconditionFailure("the data have codes") }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for part in 0..<parts {
      let path = "\(folder)/\(name(ofPart: part))"
      let range = images(ofPart: part)
      if FileManager.default.fileExists(atPath: path) {
        let found = try TokenDatasetFile(path: path)
        guard found.attributes.source == origin(ofPart: part), found.imageCount == range.count
        else {
          throw Failure(
            description: "\(path): holds \(found.attributes.source), and \(origin(ofPart: part))"
              + " were to be written: remove it or choose another folder")
        }
        progress("\(path): is there")
        continue
      }
      let writer = try TokenDatasetWriter(
        path: path, grid: source.grid, contents: .codes(codebook: codebook),
        attributes: TokenAttributes(
          tokenizer: source.attributes.tokenizer, source: origin(ofPart: part),
          license: source.attributes.license, createdBy: "Benchmarks/run shards"))
      for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.imagesPerBlock) {
        try writer.append(
          codes: codes(ofImages: start..<min(start + Self.imagesPerBlock, range.upperBound)))
      }
      try writer.finish()
      progress("\(path): \(range.count) images")
    }
  }
}

extension SyntheticShards {
  /// `shards --images M --parts N --output FOLDER [--seed S]`.
  static func run(root: String) throws {
    func number(_ name: String, _ fallback: String?) throws -> Int {
      guard let text = option(name) ?? fallback, let value = Int(text), value >= 0 else {
        throw Failure(
          description: option(name).map { "\(name) \($0): a whole number is expected" }
            ?? "shards: \(name) is missing")
      }
      return value
    }
    guard let folder = option("--output") else {
      throw Failure(description: "shards: --output FOLDER is missing")
    }
    let start = ContinuousClock.now
    let shards = try SyntheticShards(
      source: TokenDataset(contentsOf: "\(root)/Notebooks-data/scenes-24x24.h5"),
      images: number("--images", nil), parts: number("--parts", "1"),
      seed: UInt64(number("--seed", "0")))
    try shards.write(to: folder) { print($0) }
    print("\(shards.images) images in \(ContinuousClock.now - start)")
  }
}
