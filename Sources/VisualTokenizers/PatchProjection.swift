import LinearAlgebra
import TokenData

/// Square patches of pixels as a few numbers each: principal components, and the way back.
///
/// A patch is p × p pixels of red, green and blue, 3p² numbers from 0 to 255. Its feature is
/// f = s·V(x − μ), with the leading principal axes as rows of V. The one factor s for all channels
/// makes the mean squared length of a feature 1, as it is for the L2-normalised codebooks of
/// learned tokenizers: so differential entropies, whose zero depends on the unit, start from the
/// same zero, and distances between features stay proportional to distances between pixels.
struct PatchProjection: ImageDecoder {
  /// p, the number of pixels along the side of a patch.
  let patchSize: Int
  /// μ, the mean patch; rows, columns and colours of a patch, row-major `p × p × 3`.
  let mean: [Float]
  /// What one unit of each channel adds to a patch, in grey levels: V/s, `d × 3p²`.
  let basis: FloatMatrix

  /// V·s, which takes a patch minus the mean to its feature.
  private let analysis: FloatMatrix

  /// d, the number of channels.
  var featureDimensions: Int { basis.rows }

  /// Finds the principal axes of patches.
  ///
  /// - Parameter patches: one patch a row, `N × 3p²`.
  /// - Throws: ``PatchTokenizerError`` when the patches vary in fewer than `d` directions.
  /// - Complexity: O(N·p⁴ + p⁶).
  init(patches: PatchRows, patchSize: Int, featureDimensions d: Int) throws {
    let columns = patchSize * patchSize * 3
    guard (1...columns).contains(d) else {
      throw PatchTokenizerError.invalidFeatureDimensions(d, patchSize: patchSize)
    }
    var scatter = ScatterSum(shift: [Float](repeating: 127.5, count: columns))
    try scatter.add(count: patches.count) { patches.floats($0) }
    let mean = scatter.mean.map { Float($0) }
    let eigen = try SymmetricEigen(scatter.aboutMean())
    let variances = eigen.values.map { max(0, $0) / Double(patches.count) }
    // Grey levels are whole numbers: less variance than this over all patches is rounding.
    let directions = variances.prefix { $0 > 1e-6 }.count
    guard directions >= d else {
      throw PatchTokenizerError.tooLittleVariation(directions: directions, wanted: d)
    }
    let scale = 1 / variances.prefix(d).reduce(0, +).squareRoot()
    self.init(
      patchSize: patchSize, mean: mean,
      basis: FloatMatrix(
        rows: d, columns: columns,
        elements: eigen.vectors.elements.prefix(d * columns).map { Float($0 / scale) }))
  }

  /// Takes the arrays of a file.
  ///
  /// - Throws: ``ImageDecoderError/invalidParameters(_:reason:)`` when they do not fit.
  init(decoderParameters: TokenDecoderParameters, featureDimensions d: Int, file: String) throws {
    func array(_ name: String) throws -> TokenDecoderParameters.Parameter {
      guard let array = decoderParameters.arrays[name] else {
        throw ImageDecoderError.invalidParameters(file, reason: "there is no \(name)")
      }
      guard array.values.allSatisfy(\.isFinite) else {
        throw ImageDecoderError.invalidParameters(file, reason: "\(name) is not finite")
      }
      return array
    }
    let (mean, basis) = (try array("mean"), try array("basis"))
    guard mean.shape.count == 3, mean.shape[0] == mean.shape[1], mean.shape[2] == 3,
      mean.shape[0] > 0
    else {
      throw ImageDecoderError.invalidParameters(
        file, reason: "mean has the shape \(mean.shape); [p, p, 3] is expected")
    }
    guard basis.shape == [d] + mean.shape else {
      throw ImageDecoderError.invalidParameters(
        file, reason: "basis has the shape \(basis.shape); \([d] + mean.shape) is expected")
    }
    self.init(
      patchSize: mean.shape[0], mean: mean.values,
      basis: FloatMatrix(rows: d, columns: mean.values.count, elements: basis.values))
  }

  private init(patchSize: Int, mean: [Float], basis: FloatMatrix) {
    self.patchSize = patchSize
    self.mean = mean
    self.basis = basis
    // The rows of the basis are orthogonal, so its inverse on them is b/‖b‖².
    var analysis = basis
    for row in 0..<basis.rows {
      let range = (row * basis.columns)..<((row + 1) * basis.columns)
      let square = basis.elements[range].reduce(0.0) { $0 + Double($1) * Double($1) }
      for i in range { analysis.elements[i] = Float(Double(basis.elements[i]) / square) }
    }
    self.analysis = analysis
  }

  /// The arrays for a file.
  var decoderParameters: TokenDecoderParameters {
    let p = patchSize
    return TokenDecoderParameters(
      kind: PatchTokenizer.decoderKind,
      arrays: [
        "mean": .init(shape: [p, p, 3], values: mean),
        "basis": .init(shape: [basis.rows, p, p, 3], values: basis.elements),
      ])
  }

  /// The features of patches, row-major `N × d`.
  func features(ofPatches patches: [Float]) -> [Float] {
    var centred = patches
    let columns = mean.count
    for start in stride(from: 0, to: centred.count, by: columns) {
      for j in 0..<columns { centred[start + j] -= mean[j] }
    }
    return FloatMatrix.product(
      FloatMatrix(rows: patches.count / columns, columns: columns, elements: centred), analysis,
      transposingSecond: true
    ).elements
  }

  /// The features of all patches of an image whose sides are multiples of p, `n × d` in raster order.
  func features(of image: RGBImage) -> [Float] {
    features(ofPatches: patches(of: image, cells: nil).map { Float($0) })
  }

  /// Patches of an image whose sides are multiples of p, one after the other.
  ///
  /// - Parameter cells: which patches, by their raster index; nil for all.
  func patches(of image: RGBImage, cells: [Int]?) -> [UInt8] {
    Self.patches(of: image, patchSize: patchSize, cells: cells)
  }

  static func patches(of image: RGBImage, patchSize p: Int, cells: [Int]?) -> [UInt8] {
    precondition(
      image.width.isMultiple(of: p) && image.height.isMultiple(of: p), "patches fill the image")
    let columns = image.width / p
    let cells = cells ?? Array(0..<(columns * (image.height / p)))
    var result: [UInt8] = []
    result.reserveCapacity(cells.count * p * p * 3)
    for cell in cells {
      for line in 0..<p {
        let start = ((cell / columns * p + line) * image.width + cell % columns * p) * 3
        result += image.pixels[start..<(start + p * 3)]
      }
    }
    return result
  }

  func image(fromFeatures features: [Float], rows: Int, columns: Int) -> RGBImage {
    let p = patchSize
    let patches = FloatMatrix.product(
      FloatMatrix(rows: rows * columns, columns: featureDimensions, elements: features), basis)
    var image = RGBImage(width: columns * p, height: rows * p)
    for cell in 0..<(rows * columns) {
      for line in 0..<p {
        let start = ((cell / columns * p + line) * image.width + cell % columns * p) * 3
        for i in 0..<(p * 3) {
          let value = mean[line * p * 3 + i] + patches[cell, line * p * 3 + i]
          image.pixels[start + i] = UInt8(min(255, max(0, value.rounded())))
        }
      }
    }
    return image
  }
}

/// Patches as the bytes they were read as, one a row: a million of them need not be stored as floats.
struct PatchRows: Sendable {
  /// How many numbers a patch has.
  let columns: Int
  /// The patches, row-major.
  private(set) var bytes: [UInt8] = []

  init(columns: Int) { self.columns = columns }

  /// How many patches there are.
  var count: Int { bytes.count / columns }

  mutating func append(_ patches: [UInt8]) {
    precondition(patches.count.isMultiple(of: columns), "whole patches are appended")
    bytes += patches
  }

  /// A run of patches as floats.
  func floats(_ rows: Range<Int>) -> [Float] {
    bytes[(rows.lowerBound * columns)..<(rows.upperBound * columns)].map { Float($0) }
  }
}
