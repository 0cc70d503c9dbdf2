import FileFormats
import Files
import Foundation
import LinearAlgebra
import TokenGrids

/// Tokens in one array of numpy, left in its file and read block by block: what ``TokenDatasetFile`` is for HDF5.
///
/// Memory does not grow with the images, but of an `.npz` archive, whose array is unpacked into memory as it is stored. (Pages of
/// an array in Fortran's order stay mapped, until the system wants them back.)
public struct TokenArrayDataset: DescribedTokens {
  /// The file's name without its folders.
  public let name: String
  /// The path as the user typed it.
  public let place: String
  /// m, the crops that are taken of all photographs.
  public let imageCount: Int
  /// d.
  public let featureDimensions: Int
  /// The classes of the images, where they are known.
  public let labels: TokenLabels?
  /// Which photograph every image was cut from, where several were taken of one.
  public let imageGroups: [UInt32]?
  private let source: TokenImport
  private let layout: ImportLayout
  private let photographs: Int
  /// Where the numbers of a photograph's crops that are taken follow each other, all through the array.
  private let isContiguous: Bool

  /// Looks at an array.
  ///
  /// - Returns: nil for a folder, whose files are many arrays, and where photographs are drawn.
  /// - Throws: ``TokenImportError`` for labels that do not fit the images.
  /// - Complexity: O(m) with labels, and where several crops are taken.
  public init?(_ source: TokenImport) throws {
    guard let array = source.source as? TokenArrayFile, source.options.sample == nil else {
      return nil
    }
    self.source = source
    layout = array.layout
    photographs = array.array.shape[0]
    place = array.path
    name = URL(fileURLWithPath: array.path).lastPathComponent
    featureDimensions = source.codebook?.columns ?? layout.dimensions ?? 0
    let crops = source.options.crops == .all ? layout.crops : 1
    isContiguous = crops == layout.crops
    imageCount = photographs * crops
    func perCrop(_ values: [UInt32]) -> [UInt32] {
      crops == 1 ? values : values.flatMap { repeatElement($0, count: crops) }
    }
    labels = try source.labels.labels(count: photographs).map {
      TokenLabels(values: perCrop($0), names: [])
    }
    imageGroups = crops == 1 ? nil : perCrop((0..<photographs).map { UInt32($0) })
  }

  /// The grid of one image.
  public var grid: TokenGrid { layout.grid }
  /// The codebook `K × d`; nil for features.
  public var codebook: FloatMatrix? { source.codebook }
  /// An array does not say.
  public var attributes: TokenAttributes { TokenAttributes() }
  /// An array has none.
  public var decoder: TokenDecoderParameters? { nil }
  /// The numbers of ``labels``.
  public var imageClasses: [UInt32]? { labels?.values }

  /// Runs of about a million numbers.
  public var blocks: [Range<Int>] {
    let size = max(1, (1 << 20) / layout.elementsPerCrop)
    return stride(from: 0, to: imageCount, by: size).map { $0..<min($0 + size, imageCount) }
  }

  /// The codes of a run of images, row-major `images × n`.
  ///
  /// - Throws: ``TokenImportError`` when a code is outside the codebook.
  public func checkedCodes(ofImages images: Range<Int>) throws -> [UInt32] {
    try read(images) { try source.codes($0, of: $1) }
  }

  /// The features of a run of images, row-major `images × n × d`.
  ///
  /// - Throws: ``TokenImportError`` when a code is outside the codebook or a feature is not finite.
  public func features(ofImages images: Range<Int>) throws -> [Float] {
    if let codebook { return codebook.gatherRows(try checkedCodes(ofImages: images)[...]) }
    return try read(images) { try source.features($0, of: $1) }
  }

  private func read<Value>(
    _ images: Range<Int>, _ body: (CropRun, NpyArray) throws -> [Value]
  ) throws -> [Value] {
    precondition(images.lowerBound >= 0 && images.upperBound <= imageCount, "the images exist")
    guard !images.isEmpty else { return [] }
    if isContiguous {
      let (photograph, crop) = images.lowerBound.quotientAndRemainder(dividingBy: layout.crops)
      let (array, first) = try source.source.array(UInt32(photograph))
      let size = layout.elementsPerCrop
      let start = first + crop * size
      defer { array.release(start..<start + images.count * size) }
      return try body(
        CropRun(first: first, image: photograph, crop: crop, count: images.count), array)
    }
    let (whole, start) = try source.source.array(UInt32(images.lowerBound))
    let size = layout.crops * layout.elementsPerCrop
    defer { whole.release(start..<start + images.count * size) }
    return try images.flatMap { photograph in
      let (array, first) = try source.source.array(UInt32(photograph))
      let crop = source.crops(of: UInt32(photograph)).lowerBound
      return try body(CropRun(first: first, image: photograph, crop: crop, count: 1), array)
    }
  }

  /// The hash of the file.
  public func sourceHash() throws -> ContentHash? { try ContentHash(ofFileAt: place) }

  /// The hash of the file, with that of labels, of the choice of crops and of the place of the channels.
  public func identity() throws -> String {
    let options = source.options
    var words: [String] = []
    if layout.crops > 1 {
      words.append(options.crops.rawValue)
      if options.crops == .random { words.append("\(options.seed)") }
    }
    if layout.channels == .first { words.append("channels first") }
    return try ContentHash(ofFileAt: place).identity(with: words, labels?.values)
  }
}
