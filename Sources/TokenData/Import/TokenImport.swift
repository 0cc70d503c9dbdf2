import FileFormats
import Files
import Foundation
import LinearAlgebra
import Statistics
import Synchronization
import TokenGrids

/// Tokens that another program made, turned into a token dataset: a folder of LlamaGen codes, one
/// `.npy` array, or an `.npz` archive.
///
/// Only the images that are drawn are read. A row of the dataset is one crop; `/image_ids` says
/// which photograph it comes from, because the crops of one photograph are not independent.
public struct TokenImport: Sendable {
  /// Which of the crops of a photograph to take.
  public enum Crops: String, CaseIterable, Sendable {
    /// Every crop becomes a row.
    case all
    /// The first crop; of (image, mirror image), the image.
    case first
    /// One crop, drawn by the seed and the number of the photograph.
    case random
  }

  /// What to import.
  public struct Options: Sendable {
    /// The grid of the tokens; nil where the shape of the array says it, or the tokens make a
    /// square.
    public var grid: TokenGrid?
    /// Where the channels of features stand; nil for last, unless the extents look otherwise: then they are refused.
    public var channels: ChannelPlacement?
    /// Which crops to take.
    public var crops = Crops.first
    /// How many photographs to draw, every set equally likely; nil for all, in order.
    public var sample: Int?
    /// Whether photographs that are drawn come in their order in the source, not in that of the draw.
    public var keepsOrder = false
    /// The seed of the draws.
    public var seed: UInt64 = 0
    /// Whether the place of the origin does not matter, as for entropies: features that single precision would not tell
    /// apart are then moved there, where they are refused otherwise; see ``TokenDatasetFile``.
    public var centred = false

    /// Everything, and the first crop of each.
    public init() {}
  }

  /// How far the import is.
  public struct Progress: Sendable {
    /// Photographs that were imported.
    public let done: Int
    /// Photographs that are wanted.
    public let total: Int
  }

  /// What was imported.
  public struct Summary: Hashable, Sendable {
    /// The grid of one image.
    public var grid: TokenGrid
    /// How many photographs were imported.
    public var photographs = 0
    /// How many rows were written: crops of photographs.
    public var rows = 0
    /// How many crops of a photograph there are in the source.
    public var cropsPerPhotograph: Int
    /// How many photographs there are in the source.
    public var available: Int
    /// How many photographs were tried and left out, because a file is short, damaged or has no
    /// label.
    public var leftOut = 0
    /// How many numbers between the smallest and the largest have no file of codes.
    public var missing: Int
    /// The names of the folder's other files, which are not read, sorted.
    public var otherFiles: [String] = []
    /// Whether there are labels.
    public var hasLabels: Bool
    /// How many codebook entries, or nil for features.
    public var codebookSize: Int?
    /// d, the channels of a token's feature.
    public var featureDimensions: Int
  }

  /// The folders whose files are read.
  package let inputFolders: [String]
  let source: any TokenImportSource
  let labels: ImportLabels
  let codebook: FloatMatrix?
  let options: Options
  /// What is taken off the features of an image before they are rounded to single precision; nil for nothing.
  private let origin: [Double]?

  /// Opens the source.
  ///
  /// - Parameters:
  ///   - path: a folder `{i}.npy` of codes, one `.npy` file of codes or features, or an `.npz` archive with `codes` or
  ///     `features`, and perhaps `codebook` and `labels`; of another name where it is the only array.
  ///   - labels: a folder `{i}.npy` of labels or one `.npy` file; nil for the folder that LlamaGen
  ///     puts beside the codes (`…_codes`, `…_labels`) where there is one.
  ///   - codebook: what the codes index, `K × d`; nil for features.
  /// - Throws: ``TokenImportError``, `NpyError`, `FileError` or ``TokenDataError``.
  /// - Complexity: lists a folder, and reads one file of it.
  public init(path: String, labels: String?, codebook: FloatMatrix?, options: Options) throws {
    if let sample = options.sample, sample < 1 { throw TokenDataError.invalidLimit(sample) }
    let archive = try TokenArchive(path: path)
    let codebook = try codebook ?? archive?.codebook()
    if let codebook {
      try TokenCheck(file: "codebook", grid: .init(rows: 1, columns: 1)).codebook(codebook)
    }
    self.codebook = codebook
    self.options = options
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError.missing(path)
    }
    if isDirectory.boolValue {
      source = try CodeFolder(
        path: path, grid: options.grid, channels: options.channels)
      let labels = labels ?? CodeFolder.labelFolder(besideCodes: path)
      self.labels = try ImportLabels(path: labels)
      inputFolders = [path] + (labels.map { [$0] } ?? [])
    } else if let archive {
      source = try TokenArrayFile(
        archive.tokens(), path: path, grid: options.grid, channels: options.channels)
      inputFolders = []
      let own = labels == nil ? try archive.labels() : nil
      self.labels =
        try own.map { try ImportLabels($0) } ?? ImportLabels(path: labels, allowingFolder: false)
    } else {
      source = try TokenArrayFile(
        NpyArray(path: path), path: path, grid: options.grid, channels: options.channels)
      inputFolders = []
      self.labels = try ImportLabels(path: labels, allowingFolder: false)
    }
    switch (source.layout.dimensions, codebook) {
    case (nil, nil):
      throw TokenImportError.codebookNeeded(file: path, type: source.type.description)
    case (.some, .some) where source.holdsWholeNumbers:
      throw TokenImportError.floatingPointCodes(file: path, type: source.type.description)
    case (.some, .some):
      throw TokenImportError.codebookNotUsed(file: path, type: source.type.description)
    default: break
    }
    origin = try Self.originOfFeatures(source, centred: options.centred)
  }

  /// What to take off features of double precision; nil for nothing.
  private static func originOfFeatures(
    _ source: any TokenImportSource, centred: Bool
  ) throws -> [Double]? {
    let layout = source.layout
    guard let d = layout.dimensions, source.type.byteCount == 8, layout.crops == 1 else {
      return nil
    }
    let numbers = source.numbers.prefix(64)
    let rows = try numbers.flatMap { number in
      let (array, first) = try source.array(number)
      return layout.channels.channelsLast(
        array.doubles(first..<first + layout.elementsPerCrop), cells: layout.grid.cellCount,
        channels: d)
    }
    guard rows.allSatisfy(\.isFinite),
      let lost = RoundingLoss(rows: rows, columns: layout.elementsPerCrop, known: numbers.count)
    else { return nil }
    guard centred else { throw lost.error(source.path, what: "the array") }
    return lost.origin
  }

  /// The grid of one image.
  public var grid: TokenGrid { source.layout.grid }

  /// How many photographs are wanted and there.
  package var photographCount: Int {
    min(options.sample ?? source.numbers.count, source.numbers.count)
  }

  /// Reads the tokens and writes the dataset.
  ///
  /// Rows stand in the order of the draw, so that the first rows are a fair sample too; the crops
  /// of one photograph follow each other.
  ///
  /// - Parameters:
  ///   - output: the HDF5 file to write.
  ///   - progress: is told how far the import is.
  ///   - leftOut: is told of each photograph that cannot be used, in one sentence.
  /// - Throws: what the sources throw when no photograph can be used, a code is outside the
  ///   codebook or a feature is not finite; ``TokenDataError`` when the output cannot be written.
  ///   Then nothing is left behind.
  /// - Complexity: O(tokens read); 512 photographs are in memory at a time.
  public func run(
    writingTo output: String, attributes: TokenAttributes = TokenAttributes(),
    progress: (Progress) -> Void = { _ in }, leftOut: (String) -> Void = { _ in }
  ) throws -> Summary {
    let layout = source.layout
    let writer = try TokenDatasetWriter(
      path: output, grid: layout.grid,
      contents: codebook.map { .codes(codebook: $0) }
        ?? .features(dimensions: layout.dimensions ?? 0),
      attributes: attributes)
    let summary = try forEachBlock(progress: progress, leftOut: leftOut) { block in
      if codebook != nil {
        try writer.append(codes: block.codes, labels: block.labels, imageIDs: block.imageIDs)
      } else {
        try writer.append(features: block.features, labels: block.labels, imageIDs: block.imageIDs)
      }
    }
    try writer.finish()
    return summary
  }

  /// Reads the tokens into memory, without a file between.
  ///
  /// - Parameters:
  ///   - name: what to call the dataset.
  ///   - progress: is told how far it is.
  ///   - leftOut: is told of each photograph that cannot be used, in one sentence.
  /// - Throws: as ``run(writingTo:attributes:progress:leftOut:)`` of the sources.
  /// - Complexity: O(tokens read).
  public func dataset(
    named name: String, progress: (Progress) -> Void = { _ in },
    leftOut: (String) -> Void = { _ in }
  ) throws -> TokenDataset {
    let layout = source.layout
    let rows = photographCount * (options.crops == .all ? layout.crops : 1)
    let numbers = layout.elementsPerCrop
    try TokenMemory.require(
      images: rows, bytesPerImage: 4 * Double(numbers),
      for: codebook == nil ? "features" : "codes", source: source.path)
    var all = Block()
    // Grown piece by piece they would take up to twice as much.
    if codebook == nil {
      all.features.reserveCapacity(rows * numbers)
    } else {
      all.codes.reserveCapacity(rows * numbers)
    }
    let summary = try forEachBlock(progress: progress, leftOut: leftOut) { all.append($0) }
    let tokens: TokenDataset.Tokens =
      if let codebook {
        .codes(all.codes, codebook: codebook)
      } else {
        .features(all.features, dimensions: summary.featureDimensions)
      }
    // One array is one file, whose contents the results can name.
    let isFile = inputFolders.isEmpty
    return TokenDataset(
      validated: name, grid: summary.grid, imageCount: summary.rows, tokens: tokens,
      labels: labels.exist ? TokenLabels(values: all.labels, names: []) : nil,
      imageIDs: all.imageIDs, attributes: TokenAttributes(), decoder: nil,
      path: isFile ? source.path : nil)
  }

  /// Reads the photographs that are wanted, some at a time, in the order of the draw.
  private func forEachBlock(
    progress: (Progress) -> Void, leftOut: (String) -> Void, _ body: (Block) throws -> Void
  ) throws -> Summary {
    let layout = source.layout
    var numbers = source.numbers
    if options.sample != nil {
      var generator = SeededGenerator(seed: options.seed)
      generator.shuffle(&numbers)
    }
    let wanted = photographCount
    if options.keepsOrder { numbers = numbers.prefix(wanted).sorted() }
    var summary = Summary(
      grid: layout.grid, cropsPerPhotograph: layout.crops, available: source.numbers.count,
      missing: source.missingCount, hasLabels: labels.exist, codebookSize: codebook?.rows,
      featureDimensions: codebook?.columns ?? layout.dimensions ?? 0)
    summary.otherFiles = source.otherFiles
    var rest = numbers[...]
    var firstProblem: String?
    while summary.photographs < wanted, !rest.isEmpty {
      let batch = Array(rest.prefix(min(512, wanted - summary.photographs)))
      rest = rest.dropFirst(batch.count)
      var block = Block()
      for (number, outcome) in zip(batch, try read(batch)) {
        switch outcome {
        case .failure(let problem):
          summary.leftOut += 1
          firstProblem = firstProblem ?? problem.description
          leftOut(problem.description)
        case .success(let photograph):
          block.append(photograph, number: number)
          summary.photographs += 1
          summary.rows += photograph.crops
        }
      }
      try body(block)
      progress(Progress(done: summary.photographs, total: wanted))
    }
    guard summary.photographs > 0 else {
      throw TokenImportError.nothingUsable(
        folder: source.path, leftOut: summary.leftOut, first: firstProblem ?? "there is none")
    }
    return summary
  }

  /// The chosen crops of one photograph: codes, or features, row-major.
  private struct Photograph: Sendable {
    var codes: [UInt32] = []
    var features: [Float] = []
    let crops: Int
    let label: UInt32?
  }

  /// Rows that are written together.
  private struct Block {
    var codes: [UInt32] = []
    var features: [Float] = []
    var labels: [UInt32] = []
    var imageIDs: [UInt32] = []

    mutating func append(_ photograph: Photograph, number: UInt32) {
      codes += photograph.codes
      features += photograph.features
      if let label = photograph.label {
        labels += [UInt32](repeating: label, count: photograph.crops)
      }
      imageIDs += [UInt32](repeating: number, count: photograph.crops)
    }

    mutating func append(_ block: Block) {
      codes += block.codes
      features += block.features
      labels += block.labels
      imageIDs += block.imageIDs
    }
  }

  /// A photograph that is left out; any other error ends the import.
  private struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Reads some photographs on all cores.
  private func read(_ numbers: [UInt32]) throws -> [Result<Photograph, Problem>] {
    let results = Mutex<[Result<Photograph, Problem>?]>(Array(repeating: nil, count: numbers.count))
    try parallelFor(numbers.count) { place in
      let result = try read(numbers[place])
      results.withLock { $0[place] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  private func read(_ number: UInt32) throws -> Result<Photograph, Problem> {
    let layout = source.layout
    let crops = crops(of: number)
    do {
      let array = try source.array(number)
      let label = try labels.label(of: number)
      let run = CropRun(
        first: array.first, image: Int(number), crop: crops.lowerBound, count: crops.count)
      return .success(
        layout.dimensions == nil
          ? Photograph(codes: try codes(run, of: array.array), crops: crops.count, label: label)
          : Photograph(
            features: try features(run, of: array.array), crops: crops.count, label: label))
    } catch let error as NpyError {
      return .failure(Problem(description: error.description))
    } catch let error as FileError {
      return .failure(Problem(description: error.description))
    } catch let error as TokenImportError where error.concernsOneFile {
      return .failure(Problem(description: error.description))
    }
  }
}

// MARK: Numbers of arrays

/// Crops that follow each other in an array.
struct CropRun {
  /// Where the array has the first number of the photograph.
  let first: Int
  /// The number of that photograph, and the first of its crops that is meant.
  let image: Int
  let crop: Int
  /// How many crops, of this photograph and of those that follow.
  let count: Int
}

extension TokenImport {
  /// The crops of a photograph that are taken.
  func crops(of number: UInt32) -> Range<Int> {
    let layout = source.layout
    switch options.crops {
    case .all: return 0..<layout.crops
    case .first: return 0..<1
    case .random:
      // Stream 0 draws the sample.
      var generator = SeededGenerator(seed: options.seed, stream: UInt64(number) + 1)
      let crop = generator.nextIndex(below: layout.crops)
      return crop..<(crop + 1)
    }
  }

  private func elements(_ run: CropRun) -> Range<Int> {
    let size = source.layout.elementsPerCrop
    let first = run.first + run.crop * size
    return first..<(first + run.count * size)
  }

  /// The photograph and the crop of the token at a place in a run.
  private func place(_ token: Int, in run: CropRun) -> (image: Int, crop: Int) {
    let crop = run.crop + token / source.layout.grid.cellCount
    return (run.image + crop / source.layout.crops, crop % source.layout.crops)
  }

  /// The codes of crops.
  ///
  /// - Throws: ``TokenImportError/codeOutsideCodebook(file:image:crop:cell:code:codebookSize:)``, or `NpyError`.
  func codes(_ run: CropRun, of array: NpyArray) throws -> [UInt32] {
    let grid = source.layout.grid
    let size = codebook?.rows ?? 0
    let integers = try array.integers(elements(run))
    if let bad = integers.firstIndex(where: { $0 < 0 || $0 >= size }) {
      let (image, crop) = place(bad, in: run)
      throw TokenImportError.codeOutsideCodebook(
        file: array.name, image: image, crop: crop, cell: grid.cell(at: bad % grid.cellCount),
        code: integers[bad], codebookSize: size)
    }
    return integers.map { UInt32($0) }
  }

  /// The features of crops, with the channels last.
  ///
  /// - Throws: ``TokenImportError`` for what is not finite, or not in single precision.
  func features(_ run: CropRun, of array: NpyArray) throws -> [Float] {
    let layout = source.layout
    let (n, d) = (layout.grid.cellCount, layout.dimensions ?? 0)
    func doubles() -> [Double] {
      layout.channels.channelsLast(array.doubles(elements(run)), cells: n, channels: d)
    }
    let features: [Float]
    if let origin {
      let values = doubles()
      features = values.indices.map { Float(values[$0] - origin[$0 % origin.count]) }
    } else {
      features = layout.channels.channelsLast(array.floats(elements(run)), cells: n, channels: d)
    }
    if let bad = features.firstIndex(where: { !$0.isFinite }) {
      let token = bad / d
      let (image, crop) = place(token, in: run)
      let value = doubles()[bad]
      if value.isFinite {
        throw TokenImportError.beyondSinglePrecision(file: array.name, image: image, value: value)
      }
      throw TokenImportError.featureNotFinite(
        file: array.name, image: image, crop: crop, cell: layout.grid.cell(at: token % n),
        channel: bad % d, value: features[bad])
    }
    return features
  }
}

extension TokenImportError {
  /// Whether other files may still be good: a wrong code or feature means that everything is in
  /// doubt.
  fileprivate var concernsOneFile: Bool {
    switch self {
    case .gridMismatch, .cropCount, .labelShape: true
    default: false
    }
  }
}
