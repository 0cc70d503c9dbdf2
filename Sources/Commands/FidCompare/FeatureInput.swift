import FileFormats
import Files
import Foundation
import GenerationMetrics
import LinearAlgebra

/// Features of images as another program saved them: the samples, or only their mean and covariance.
enum FeatureInput {
  /// N × d.
  case samples(FloatMatrix)
  case statistics(FeatureStatistics)

  /// Reads a `.npy` array (images, features), or an `.npz` archive with such an array or with `mu` and `sigma`.
  ///
  /// - Parameter statistics: Which of the statistics that ADM's evaluator writes.
  /// - Throws: What is wrong with the file, in one sentence.
  init(_ path: String, statistics: FeatureStatistics.Features) throws {
    InputFiles.shared.insert(path)
    guard case .zip = FileContent(ofFileAt: path) else {
      self = .samples(try Self.samples(NpyArray(path: path)))
      return
    }
    let archive = try NpzArchive(path: path)
    let names = archive.arrayNames
    if let name = ["features", "activations"].first(where: names.contains)
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
        expected: array.shape.count == 4 && array.shape[3] == 3
          ? "what a network makes of such images, (images, features),"
          : "(images, features)")
    }
    return FloatMatrix(rows: shape[0], columns: shape[1], elements: array.floats())
  }
}
