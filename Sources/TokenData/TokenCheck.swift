import LinearAlgebra
import TokenGrids

/// The checks every dataset passes, whether it comes from a file or from memory.
struct TokenCheck {
  /// What to call the dataset in a message.
  let file: String
  /// The grid of one image.
  let grid: TokenGrid

  /// Every number of the codebook is finite, and there is at least one.
  func codebook(_ codebook: SingleMatrix) throws {
    guard codebook.rows > 0, codebook.columns > 0 else {
      throw TokenDataError.wrongShape(
        file, dataset: "codebook", found: [codebook.rows, codebook.columns],
        expected: "(entries, channels) with at least one of each")
    }
    guard let bad = codebook.elements.firstIndex(where: { !$0.isFinite }) else { return }
    throw TokenDataError.codebookNotFinite(
      file, entry: bad / codebook.columns, channel: bad % codebook.columns,
      value: codebook.elements[bad])
  }

  /// Every code is a row of the codebook.
  func codes<Code: FixedWidthInteger>(
    _ codes: [Code], firstImage: Int, codebookSize: Int
  ) throws {
    // The largest code in one vectorised pass; the search is only for the message.
    let largest = codes.reduce(0, max)
    let smallest = Code.isSigned ? codes.reduce(0, min) : 0
    guard smallest < 0 || Int64(clamping: largest) >= codebookSize else { return }
    guard let bad = codes.firstIndex(where: { $0 < 0 || Int64(clamping: $0) >= codebookSize })
    else { return }
    throw TokenDataError.codeOutsideCodebook(
      file, image: firstImage + bad / grid.cellCount, cell: grid.cell(at: bad % grid.cellCount),
      code: Int64(clamping: codes[bad]), codebookSize: codebookSize)
  }

  /// Every feature is finite.
  func features(_ features: [Float], dimensions: Int, firstImage: Int) throws {
    guard let bad = features.firstIndex(where: { !$0.isFinite }) else { return }
    let token = bad / dimensions
    throw TokenDataError.featureNotFinite(
      file, image: firstImage + token / grid.cellCount,
      cell: grid.cell(at: token % grid.cellCount), channel: bad % dimensions, value: features[bad])
  }

  /// There is one label for each image, and each is an index into the names where there are names.
  func labels(_ labels: TokenLabels, images: Int) throws {
    guard labels.values.count == images else {
      throw TokenDataError.labelCountMismatch(file, labels: labels.values.count, images: images)
    }
    try labelValues(labels.values.map(Int64.init), names: labels.names.count)
  }

  /// There is one number of a photograph for each image.
  func imageIDs(count: Int, images: Int) throws {
    guard count == images else {
      throw TokenDataError.imageIDCountMismatch(file, imageIDs: count, images: images)
    }
  }

  /// Each label is an index into the names where there are names, and fits 32 bits where not.
  func labelValues(_ values: [Int64], names: Int) throws {
    let bound = names > 0 ? Int64(names) : Int64(UInt32.max)
    guard let bad = values.firstIndex(where: { $0 < 0 || $0 >= bound }) else { return }
    throw TokenDataError.labelOutsideNames(file, image: bad, label: values[bad], names: names)
  }
}
