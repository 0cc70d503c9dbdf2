import EntropyEstimation
import Reporting
import Shards
import TokenData
import TokenGrids

/// What was measured, for the lines, figures and facts of a result: images that were read, or sums over images.
protocol MeasuredData {
  /// The file's name.
  var name: String { get }
  var grid: TokenGrid { get }
  /// m.
  var imageCount: Int { get }
  /// d.
  var featureDimensions: Int { get }
  /// How many photographs the images were cut from, where several images share one; nil else.
  var clusterCount: Int? { get }
  /// How many classes have several images, and how many images are the only ones of theirs; nil without labels.
  var classMembership: (classes: Int, alone: Int)? { get }
  /// How the codebook is used; nil where that is not known.
  var codeUse: CodeUse? { get }
}

extension TokenDataset: MeasuredData {
  var clusterCount: Int? { imageGroups.map { Set($0).count } }

  var codeUse: CodeUse? {
    guard let codebook, let codes else { return nil }
    var counts = [Int](repeating: 0, count: codebook.rows)
    for code in codes { counts[Int(code)] += 1 }
    return CodeUse(counts: counts)
  }
}

extension StoredMoments: MeasuredData {
  var clusterCount: Int? { photographCount < imageCount ? photographCount : nil }

  var classMembership: (classes: Int, alone: Int)? {
    classes.map { ($0.labels.count - $0.aloneCount, $0.aloneCount) }
  }

  var codeUse: CodeUse? { nil }
}

extension Provenance {
  /// Of a result that was estimated from moments.
  init(ofMoments path: String, hash: String) { self.init(input: path, inputHash: hash) }
}
