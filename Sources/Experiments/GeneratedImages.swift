import PARTransformer
import Reporting
import Statistics
import TokenData

/// The classes of generated images, and datasets of their codes: like those of the real images that they are compared with.
struct GeneratedImages {
  /// The class of every image; 0 without classes.
  let labels: [Int]
  private let real: TokenDataset

  /// The classes of the real images in their order, from the start again where there are more samples; where there are
  /// fewer, of some drawn at random.
  init(_ count: Int, like real: TokenDataset) throws {
    let models = Self.randomImages(min(count, real.imageCount), of: real.imageCount)
    labels = (0..<count).map { image in
      real.labels.map { Int($0.values[models[image % models.count]]) } ?? 0
    }
    self.real = real
  }

  /// A dataset of some of the images.
  ///
  /// - Parameter codes: In raster order, image by image.
  /// - Throws: `TrainingError.noCodes` where the real images have no codebook.
  func dataset(_ codes: [UInt32], images: Range<Int>, source: String) throws -> TokenDataset {
    guard let codebook = real.codebook else { throw TrainingError.noCodes(dataset: real.name) }
    return try TokenDataset(
      name: "samples.h5", grid: real.grid, tokens: .codes(codes, codebook: codebook),
      labels: real.labels.map { known in
        TokenLabels(values: labels[images].map { UInt32($0) }, names: known.names)
      },
      attributes: TokenAttributes(
        tokenizer: real.attributes.tokenizer, source: source,
        createdBy: "token-entropy \(packageVersion)"),
      decoder: real.decoder)
  }

  /// Some of so many images, in their order: the same whenever it is asked for.
  static func randomImages(_ count: Int, of all: Int) -> [Int] {
    var generator = SeededGenerator(seed: 0, stream: 6)
    var images = Array(0..<all)
    generator.shuffle(&images)
    return images.prefix(count).sorted()
  }
}
