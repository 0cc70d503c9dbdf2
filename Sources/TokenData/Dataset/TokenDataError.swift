import FileFormats
import SystemResources
import TokenGrids

/// Why a token dataset could not be read, made or written.
///
/// `file` is the path as the user typed it, or the name of a dataset that is in memory only.
public enum TokenDataError: Error, Equatable, CustomStringConvertible {
  /// The file does not start as an HDF5 file does.
  case notHDF5(String)
  /// The file starts as HDF5, but cannot be read to its end: cut short, or overwritten.
  case damagedFile(String, reason: String)
  /// The root attribute `format` names something else than a token dataset.
  case wrongFormat(String, found: String)
  /// The root attribute `format_version` is one that this version does not know.
  case wrongFormatVersion(String, found: String)
  /// A dataset that must be there is not.
  case missingDataset(String, dataset: String, advice: String)
  /// The extents of a dataset are not the expected ones.
  case wrongShape(String, dataset: String, found: [Int], expected: String)
  /// Features whose extents look like channels before rows and columns.
  case channelsFirst(String, dataset: String, found: [Int])
  /// The elements of a dataset are of the wrong kind.
  case wrongElementType(String, dataset: String, expected: String)
  /// A dataset that cannot be trusted, or is none; `reason` follows its name in a sentence.
  case unusableDataset(String, dataset: String, reason: String)
  /// A number of double precision that single precision has no place for.
  case beyondSinglePrecision(String, place: String, value: Double)
  /// Numbers of double precision whose differences would be lost in single precision.
  case lostInSinglePrecision(String, what: String, magnitude: Double, range: Double)
  /// There are no images in the file.
  case noImages(String)
  /// The first `limit` images were asked for, and `limit` is not positive.
  case invalidLimit(Int)
  /// A token's code is no row of the codebook.
  case codeOutsideCodebook(String, image: Int, cell: GridCell, code: Int128, codebookSize: Int)
  /// A number in the codebook is NaN or infinite.
  case codebookNotFinite(String, entry: Int, channel: Int, value: Float)
  /// A number in the features is NaN or infinite.
  case featureNotFinite(String, image: Int, cell: GridCell, channel: Int, value: Float)
  /// There are more or fewer labels than images.
  case labelCountMismatch(String, labels: Int, images: Int)
  /// There are more or fewer numbers of photographs than images.
  case imageIDCountMismatch(String, imageIDs: Int, images: Int)
  /// A label is no index into the label names, or negative where there are none.
  case labelOutsideNames(String, image: Int, label: Int128, names: Int)
  /// More dimensions were asked for than the features have, or none.
  case invalidFeatureDimensions(String, wanted: Int, available: Int)
  /// The images do not fit into memory; so many would, with something left over for what is done with them.
  case tooLittleMemory(String, InsufficientMemory, fittingImages: Int)

  /// What was found, what was expected and what to do, in one sentence.
  public var description: String {
    switch self {
    case .notHDF5(let file):
      "\(file): is not an HDF5 file; a token dataset as `tokenize` writes it is expected"
    case .damagedFile(let file, let reason):
      "\(file): the HDF5 file is truncated or damaged: \(reason)"
    case .wrongFormat(let file, let found):
      "\(file): the attribute format is \"\(found)\"; \"token-dataset\" is expected"
    case .wrongFormatVersion(let file, let found):
      "\(file): the attribute format_version is \(found); this program reads version 1"
    case .missingDataset(let file, let dataset, let advice):
      "\(file): has no dataset /\(dataset); \(advice)"
    case .channelsFirst(let file, let dataset, let found):
      "\(file): the shape \(NpyHeader.tuple(found)) of /\(dataset) looks like channels before rows and columns;"
        + " say --channels first, or --channels last if they are last"
    case .wrongShape(let file, let dataset, let found, let expected):
      "\(file): /\(dataset) has the shape \(Self.tuple(found)); \(expected) is expected"
    case .wrongElementType(let file, let dataset, let expected):
      "\(file): the elements of /\(dataset) are not \(expected)"
    case .unusableDataset(let file, let dataset, let reason):
      "\(file): /\(dataset) \(reason)"
    case .beyondSinglePrecision(let file, let place, let value):
      "\(file): \(place) is \(value), beyond single precision, which ends at 3.4e+38; divide all by a constant"
    case .lostInSinglePrecision(let file, let what, let magnitude, let range):
      "\(file): \(what) has numbers of \(Float(magnitude)) that differ by \(Float(range)), which single precision does not"
        + " keep; take the mean off before they are saved"
    case .noImages(let file):
      "\(file): holds no images; at least one is expected"
    case .invalidLimit(let limit):
      "the limit is \(limit) images; at least 1 is expected"
    case .codeOutsideCodebook(let file, let image, let cell, let code, let size):
      "\(file): token \(cell) of image \(image) is \(code), "
        + "but the codebook has \(size) entries"
    case .codebookNotFinite(let file, let entry, let channel, let value):
      "\(file): channel \(channel) of codebook entry \(entry) is \(value); "
        + "finite numbers are expected"
    case .featureNotFinite(let file, let image, let cell, let channel, let value):
      "\(file): channel \(channel) of token \(cell) of image \(image) is "
        + "\(value); finite numbers are expected"
    case .labelCountMismatch(let file, let labels, let images):
      "\(file): has \(labels) labels for \(images) images; one label for each image is expected"
    case .imageIDCountMismatch(let file, let imageIDs, let images):
      "\(file): has \(imageIDs) image numbers for \(images) images; one for each image is expected"
    case .labelOutsideNames(let file, let image, let label, 0):
      "\(file): the label of image \(image) is \(label); whole numbers from 0 are expected"
    case .labelOutsideNames(let file, let image, let label, let names):
      "\(file): the label of image \(image) is \(label), but there are \(names) label names"
    case .invalidFeatureDimensions(let file, let wanted, let available):
      "\(file): \(wanted) feature dimensions were asked for; "
        + "the features have \(available), so 1 to \(available) can be kept"
    case .tooLittleMemory(let file, let lack, let fitting):
      "\(file): \(lack)" + (fitting > 0 ? "; at most \(fitting) images fit" : "")
    }
  }

  private static func tuple(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + ")"
  }
}
