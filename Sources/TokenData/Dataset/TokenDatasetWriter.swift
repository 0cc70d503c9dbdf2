import FileFormats
import Files
import Foundation
import LinearAlgebra
import TokenGrids

/// Writes a token dataset block by block: a million images need not fit in memory.
///
/// The file grows beside its final name and takes that name in ``finish()``; a writer that is
/// dropped before leaves nothing behind. Not safe to use from several threads at once.
public final class TokenDatasetWriter {
  /// What the tokens of a dataset are.
  public enum Contents: Sendable {
    /// Codes into this codebook, `K × d`.
    case codes(codebook: FloatMatrix)
    /// Features of continuous tokens with this many channels.
    case features(dimensions: Int)
  }

  /// How many images were appended so far.
  public private(set) var imageCount = 0

  private let path: String
  private let grid: TokenGrid
  private let contents: Contents
  private let labelNames: [String]
  private let check: TokenCheck
  private let replacement: OutputFile
  private let output: HDF5Output
  // The library closes the file when the last of these is gone.
  private var root: HDF5Group?
  private var tokens: HDF5Dataset?
  private var labels: [UInt32] = []
  private var imageIDs: [UInt32] = []

  /// Creates the file beside its final name.
  ///
  /// - Parameter labelNames: the names that labels index; empty where there are no labels or names.
  /// - Throws: ``TokenDataError`` when the output cannot be created, or the codebook is empty or
  ///   not finite.
  public init(
    path: String, grid: TokenGrid, contents: Contents, labelNames: [String] = [],
    attributes: TokenAttributes = TokenAttributes(), decoder: TokenDecoderParameters? = nil
  ) throws {
    self.path = path
    self.grid = grid
    self.contents = contents
    self.labelNames = labelNames
    check = TokenCheck(file: path, grid: grid)
    if case .codes(let codebook) = contents { try check.codebook(codebook) }
    replacement = try OutputFile(path: path)
    output = HDF5Output(descriptor: replacement.descriptor)
    try reportingFailure {
      let root = try HDF5Group.createFile(output)
      self.root = root
      try root.setAttribute("format", "token-dataset")
      try root.setAttribute("format_version", 1)
      try root.setAttribute("tokenizer", attributes.tokenizer)
      try root.setAttribute("source", attributes.source)
      try root.setAttribute("license", attributes.license)
      try root.setAttribute("created_by", attributes.createdBy)
      if let part = attributes.part {
        try root.setAttribute("first_image", part.firstImage)
        try root.setAttribute("images_in_all", part.imagesInAll)
      }
      let cells =
        grid.isVideo ? [grid.frames, grid.rows, grid.columns] : [grid.rows, grid.columns]
      switch contents {
      case .codes(let codebook):
        let rowsPerChunk = Self.rowsPerChunk(bytesPerImage: grid.cellCount * 2)
        tokens =
          codebook.rows <= 1 << 16
          ? try root.createGrowingDataset(
            "codes", of: UInt16.self, rowShape: cells, rowsPerChunk: rowsPerChunk)
          : try root.createGrowingDataset(
            "codes", of: UInt32.self, rowShape: cells, rowsPerChunk: rowsPerChunk)
        try root.write(
          codebook.elements, shape: [codebook.rows, codebook.columns], to: "codebook")
      case .features(let dimensions):
        tokens = try root.createGrowingDataset(
          "features", of: Float.self, rowShape: cells + [dimensions],
          rowsPerChunk: Self.rowsPerChunk(bytesPerImage: grid.cellCount * dimensions * 4))
      }
      if let decoder {
        let group = try root.createGroup("decoder")
        try group.setAttribute("kind", decoder.kind)
        for (name, array) in decoder.arrays.sorted(by: { $0.key < $1.key }) {
          try group.write(array.values, shape: array.shape, to: name)
        }
      }
    }
  }

  /// Appends the codes of whole images, row-major `images × n`, and their labels.
  ///
  /// - Parameters:
  ///   - labels: one for each image; or none for any image of the file.
  ///   - imageIDs: the photograph that each image was cut from; or none for any image of the file.
  /// - Throws: ``TokenDataError`` when a code is outside the codebook or the disk is full.
  /// - Precondition: the file was made for codes, and these are whole images.
  public func append(
    codes: [UInt32], labels: [UInt32] = [], imageIDs: [UInt32] = []
  ) throws {
    guard case .codes(let codebook) = contents else {
      preconditionFailure("the file was made for features")
    }
    try check.codes(codes, firstImage: imageCount, codebookSize: codebook.rows)
    try append(codes, numbersPerImage: grid.cellCount)
    self.labels += labels
    self.imageIDs += imageIDs
  }

  /// Appends the features of whole images, row-major `images × n × d`, and their labels.
  ///
  /// - Parameters:
  ///   - labels: one for each image; or none for any image of the file.
  ///   - imageIDs: the photograph that each image was cut from; or none for any image of the file.
  /// - Throws: ``TokenDataError`` when a feature is not finite or the disk is full.
  /// - Precondition: the file was made for features, and these are whole images.
  public func append(
    features: [Float], labels: [UInt32] = [], imageIDs: [UInt32] = []
  ) throws {
    guard case .features(let dimensions) = contents else {
      preconditionFailure("the file was made for codes")
    }
    try check.features(features, dimensions: dimensions, firstImage: imageCount)
    try append(features, numbersPerImage: grid.cellCount * dimensions)
    self.labels += labels
    self.imageIDs += imageIDs
  }

  private func append<Element: HDF5Number>(_ values: [Element], numbersPerImage: Int) throws {
    precondition(values.count.isMultiple(of: numbersPerImage), "whole images are appended")
    try reportingFailure { try tokens?.append(values, after: imageCount) }
    imageCount += values.count / numbersPerImage
  }

  /// Writes the labels and image numbers, closes the file and gives it its name.
  ///
  /// - Throws: ``TokenDataError`` when there are no images, the labels or image numbers do not fit
  ///   them, or the
  ///   file cannot be completed.
  public func finish() throws {
    guard imageCount > 0 else { throw TokenDataError.noImages(path) }
    try reportingFailure {
      if !labels.isEmpty {
        try check.labels(TokenLabels(values: labels, names: labelNames), images: imageCount)
        try root?.write(labels, shape: [labels.count], to: "labels")
        if !labelNames.isEmpty { try root?.write(labelNames, to: "label_names") }
      }
      if !imageIDs.isEmpty {
        try check.imageIDs(count: imageIDs.count, images: imageCount)
        try root?.write(imageIDs, shape: [imageIDs.count], to: "image_ids")
      }
      try root?.flush()
    }
    tokens = nil
    root = nil
    // Closing the file writes what was left.
    try checkOutput()
    try replacement.commit()
  }

  deinit {
    // The file is closed before `replacement` removes it.
    tokens = nil
    root = nil
  }

  /// About 256 kB of images are compressed together: enough to compress well, little to read one.
  private static func rowsPerChunk(bytesPerImage: Int) -> Int {
    max(1, (1 << 18) / bytesPerImage)
  }

  /// Turns a failure of the HDF5 library, or of the system beneath it, into an error that names the final file.
  private func reportingFailure(_ body: () throws -> Void) throws {
    // A file that has lost a part is not added to.
    try checkOutput()
    do {
      try body()
    } catch let failure as HDF5Failure {
      try checkOutput()
      throw FileError.unwritable(path, reason: failure.description)
    }
    try checkOutput()
  }

  private func checkOutput() throws {
    if let reason = output.reason { throw FileError.unwritable(path, reason: reason) }
  }
}

extension TokenDataset {
  /// Writes the dataset to an HDF5 file, in place of one that may be there.
  ///
  /// - Throws: ``TokenDataError`` when the file cannot be written; then nothing is left behind and
  ///   an earlier file of that name stays as it was.
  /// - Complexity: O(m·n) for codes, O(m·n·d) for features, dominated by the compression.
  public func write(to path: String) throws {
    let contents: TokenDatasetWriter.Contents =
      switch tokens {
      case .codes(_, let codebook): .codes(codebook: codebook)
      case .features(_, let dimensions): .features(dimensions: dimensions)
      }
    let writer = try TokenDatasetWriter(
      path: path, grid: grid, contents: contents, labelNames: labels?.names ?? [],
      attributes: attributes, decoder: decoder)
    switch tokens {
    case .codes(let codes, _):
      try writer.append(codes: codes, labels: labels?.values ?? [], imageIDs: imageIDs ?? [])
    case .features(let features, _):
      try writer.append(features: features, labels: labels?.values ?? [], imageIDs: imageIDs ?? [])
    }
    try writer.finish()
  }
}
