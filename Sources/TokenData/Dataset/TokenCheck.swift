import LinearAlgebra
import TokenGrids

/// The checks every dataset passes, whether it comes from a file or from memory.
struct TokenCheck {
  /// What to call the dataset in a message.
  let file: String
  /// The grid of one image.
  let grid: TokenGrid

  /// Every number of the codebook is finite, and there is at least one.
  func codebook(_ codebook: FloatMatrix) throws {
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
    guard smallest < 0 || Int128(largest) >= codebookSize else { return }
    guard let bad = codes.firstIndex(where: { $0 < 0 || Int128($0) >= codebookSize })
    else { return }
    throw TokenDataError.codeOutsideCodebook(
      file, image: firstImage + bad / grid.cellCount, cell: grid.cell(at: bad % grid.cellCount),
      code: Int128(codes[bad]), codebookSize: codebookSize)
  }

  /// Every feature of double precision is finite, and so is what it is rounded to.
  func features(_ features: [Double], dimensions: Int, firstImage: Int) throws {
    guard let bad = features.firstIndex(where: { !Float($0).isFinite }) else { return }
    let token = bad / dimensions
    let (image, cell) = (
      firstImage + token / grid.cellCount, grid.cell(at: token % grid.cellCount)
    )
    guard features[bad].isFinite else {
      throw TokenDataError.featureNotFinite(
        file, image: image, cell: cell, channel: bad % dimensions, value: Float(features[bad]))
    }
    throw TokenDataError.beyondSinglePrecision(
      file, place: "channel \(bad % dimensions) of token \(cell) of image \(image)",
      value: features[bad])
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
  func labelValues<Value: FixedWidthInteger>(_ values: [Value], names: Int) throws {
    let bound = names > 0 ? Int128(names) : Int128(UInt32.max)
    guard let bad = values.firstIndex(where: { $0 < 0 || Int128($0) >= bound }) else { return }
    throw TokenDataError.labelOutsideNames(
      file, image: bad, label: Int128(values[bad]), names: names)
  }
}
