import ArgumentParser
import FileFormats
import Files
import Foundation
import GenerationMetrics
import LinearAlgebra
import Reporting
import VisualTokenizers

/// Features of images as another program saved them: the samples, or only their mean and covariance; or the images.
enum FeatureInput {
  /// N × d.
  case samples(FloatMatrix)
  case statistics(FeatureStatistics)
  case images(ImageSet)

  /// Reads a `.npy` array (images, features), or an `.npz` archive with such an array or with `mu` and `sigma`; or finds
  /// images: bytes (images, rows, columns, 3) in an array or as `arr_0` of an archive, or a folder of PNG or JPEG files.
  ///
  /// - Parameters:
  ///   - statistics: Which of the statistics that ADM's evaluator writes.
  ///   - prefersImages: Whether the images are meant of an archive that has their statistics, too.
  /// - Throws: What is wrong with the file, in one sentence.
  init(
    _ path: String, statistics: FeatureStatistics.Features, prefersImages: Bool
  ) throws {
    InputFiles.shared.insert(path)
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
      isDirectory.boolValue
    {
      self = .images(try ImageSet(folder: path))
      return
    }
    guard case .zip = FileContent(ofFileAt: path) else {
      let array = try NpyArray(path: path)
      self =
        ImageSet.isShaped(array.shape)
        ? .images(try ImageSet(array)) : .samples(try Self.samples(array))
      return
    }
    let archive = try NpzArchive(path: path)
    let names = archive.arrayNames
    let pooled = FeatureStatistics.Features.allCases.map { "mu" + $0.rawValue }
    let hasStatistics = pooled.contains(where: names.contains)
    if names.contains(ImageSet.arrayName), prefersImages || !hasStatistics,
      prefersImages || names.count == 1 || names == [ImageSet.arrayName, "arr_1"],
      try prefersImages || archive.stream(ImageSet.arrayName).shape.count == 4
    {
      self = .images(try ImageSet(archive: path))
    } else if let name = ["features", "activations"].first(where: names.contains)
      ?? (names.count == 1 ? names[0] : nil)
    {
      self = .samples(try Self.samples(archive.array(name)))
    } else {
      self = .statistics(try FeatureStatistics(archive, features: statistics))
    }
  }

  private static func samples(_ array: NpyArray) throws -> FloatMatrix {
    // Networks that pool leave extents of one: (images, features, 1, 1).
    let shape = Array(array.shape.prefix(2))
    guard array.shape.count >= 2, array.shape.dropFirst(2).allSatisfy({ $0 == 1 }),
      array.elementCount > 0
    else {
      throw NpyError.wrongShape(
        file: array.name, found: array.shape,
        expected: "(images, features), or (images, rows, columns, 3) of images,")
    }
    // As they are read, and dealt to groups.
    try FeatureSet.requireMemory(
      images: shape[0], dimensions: shape[1], copies: 2, source: array.name)
    return FloatMatrix(rows: shape[0], columns: shape[1], elements: array.floats())
  }
}

/// Two sets of features that are compared, of images after the network without training has seen them.
struct FeaturePair {
  let real, generated: FeatureInput
  /// What made features of images; nil where no images were given.
  let network: PixelNetwork?

  /// Reads both sides.
  ///
  /// - Parameters:
  ///   - extractor: What is to make features of images; nil where none was asked for.
  ///   - seed: Of its weights.
  /// - Throws: What is wrong with a file, or `ValidationError` where the extractor is missing or has no images to see.
  init(
    real: String, generated: String, statistics: FeatureStatistics.Features,
    extractor: ExtractorName?, seed: UInt64
  ) throws {
    if let extractor, extractor != .pixels {
      throw ValidationError(
        "--extractor \(extractor.rawValue) is for tokens, as fid-compare proxies compares them; of images, pixels makes features"
      )
    }
    let inputs = try [real, generated].map {
      try FeatureInput($0, statistics: statistics, prefersImages: extractor != nil)
    }
    let sets = inputs.compactMap { if case .images(let images) = $0 { images } else { nil } }
    guard let first = sets.first else {
      guard extractor == nil else {
        throw ValidationError("--extractor is for images, and neither file holds any")
      }
      (self.real, self.generated, network) = (inputs[0], inputs[1], nil)
      return
    }
    guard extractor != nil else {
      throw ValidationError(
        "\(first.source): holds images; give the features that a network makes of them, or --extractor pixels, whose features nobody trained: a proxy, not the FID"
      )
    }
    if let second = sets.last, (first.width, first.height) != (second.width, second.height) {
      throw MetricError.differentImageSizes(
        first: first.source, width: first.width, height: first.height, second: second.source,
        secondWidth: second.width, secondHeight: second.height)
    }
    let network = try PixelNetwork(
      seed: seed, width: first.width, height: first.height, source: first.source)
    let progress = ProgressLine(
      "pixels features", total: sets.reduce(0) { $0 + $1.count }, unit: "images")
    var done = 0
    let features = try inputs.map { input -> FeatureInput in
      guard case .images(let images) = input else { return input }
      let result = try network.features(of: images) { progress.update(done + $0) }
      done += images.count
      return .samples(result)
    }
    progress.finish()
    (self.real, self.generated, self.network) = (features[0], features[1], network)
  }
}
