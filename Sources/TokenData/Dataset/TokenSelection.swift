import Files
import Foundation
import LinearAlgebra

extension TokenDataset {
  /// The dataset of some of the images, in the order given, with their labels and photographs.
  ///
  /// It has no file of its own, so no path and no content hash.
  ///
  /// - Parameter images: Numbers of images, from 0.
  /// - Throws: ``TokenDataError/noImages(_:)`` for none.
  /// - Precondition: the images exist.
  /// - Complexity: O(images·n) for codes, O(images·n·d) for features.
  public func selecting(images: [Int]) throws -> TokenDataset {
    precondition(images.allSatisfy { (0..<imageCount).contains($0) }, "the images exist")
    guard !images.isEmpty else { throw TokenDataError.noImages(name) }
    func gathered<Element>(_ elements: [Element], width: Int) -> [Element] {
      var result: [Element] = []
      result.reserveCapacity(images.count * width)
      for image in images { result += elements[image * width..<(image + 1) * width] }
      return result
    }
    let chosen: Tokens =
      switch tokens {
      case .codes(let codes, let codebook):
        .codes(gathered(codes, width: grid.cellCount), codebook: codebook)
      case .features(let features, let dimensions):
        .features(
          gathered(features, width: grid.cellCount * dimensions), dimensions: dimensions)
      }
    return TokenDataset(
      validated: name, grid: grid, imageCount: images.count, tokens: chosen,
      labels: labels.map { labels in
        TokenLabels(values: images.map { labels.values[$0] }, names: labels.names)
      },
      imageIDs: imageIDs.map { ids in images.map { ids[$0] } }, attributes: attributes.ofSelection,
      decoder: decoder, path: nil)
  }

  /// The hash of the codebook's numbers: codes of two datasets mean the same where it is equal; nil for continuous tokens.
  ///
  /// - Complexity: O(K·d).
  package var codebookHash: ContentHash? { codebook.map { Self.hash(ofCodebook: $0) } }

  /// The hash of a codebook's extents and numbers.
  ///
  /// - Complexity: O(K·d).
  package static func hash(ofCodebook codebook: FloatMatrix) -> ContentHash {
    codebook.elements.withUnsafeBytes { bytes in
      ContentHash(of: Data("\(codebook.rows)x\(codebook.columns):".utf8) + Data(bytes))
    }
  }
}
