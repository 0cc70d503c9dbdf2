import LinearAlgebra
import TokenData
import TokenGrids

/// Images as codes of their patches: principal components of the pixels, then the nearest entry of
/// a codebook found by k-means.
///
/// It needs no network and no training but on the images themselves; each token depends on its own
/// p × p pixels only. So dependence between tokens is dependence between parts of the picture, and
/// none of it is made by an encoder that looks beyond the patch.
public struct PatchTokenizer: Sendable {
  /// The name of the decoder in a file.
  public static let decoderKind = "patch-pca"
  /// The name of the tokenizer in a file's attributes.
  public static let tokenizerName = "patch-pca-kmeans"

  /// The codebook, `K × d`; channels in the order of their variance, in units such that a token's
  /// feature has a mean squared length of 1.
  public let codebook: FloatMatrix
  /// The distortion of the codebook on the training patches after each iteration of k-means, as a
  /// mean squared distance between features; empty for a tokenizer taken from a file.
  public let trainingDistortions: [Double]

  let projection: PatchProjection
  private let search: NearestRows

  /// p, the number of pixels along the side of a patch.
  public var patchSize: Int { projection.patchSize }
  /// d, the number of channels.
  public var featureDimensions: Int { codebook.columns }

  /// Learns projection and codebook from patches.
  ///
  /// - Parameters:
  ///   - patches: the pixels of N patches, row-major `N × p × p × 3`.
  ///   - patchSize: p.
  ///   - codes: K, the number of entries of the codebook.
  ///   - featureDimensions: d, the number of principal components that are kept.
  ///   - seed: for the codes that are moved because no patch uses them.
  ///   - progress: is told the number of each iteration of k-means and the distortion before it.
  /// - Throws: ``PatchTokenizerError`` or ``KMeansError`` when the patches vary too little.
  /// - Complexity: O(N·p⁴ + p⁶) for the components, O(N·K·d) for each iteration of k-means.
  public init(
    patches: [UInt8], patchSize: Int, codes: Int, featureDimensions: Int, seed: UInt64 = 0,
    maximumIterations: Int = 50, progress: (Int, Double) -> Void = { _, _ in }
  ) throws {
    var rows = PatchRows(columns: patchSize * patchSize * 3)
    rows.append(patches)
    try self.init(
      training: rows, patchSize: patchSize, codes: codes, featureDimensions: featureDimensions,
      seed: seed, maximumIterations: maximumIterations, progress: progress)
  }

  init(
    training rows: PatchRows, patchSize: Int, codes: Int, featureDimensions: Int, seed: UInt64,
    maximumIterations: Int, progress: (Int, Double) -> Void
  ) throws {
    guard codes > 0 else { throw PatchTokenizerError.invalidCodeCount(codes) }
    let projection = try PatchProjection(
      patches: rows, patchSize: patchSize, featureDimensions: featureDimensions)
    var features: [Float] = []
    features.reserveCapacity(rows.count * featureDimensions)
    for start in stride(from: 0, to: rows.count, by: 1 << 14) {
      let block = start..<min(start + 1 << 14, rows.count)
      features += projection.features(ofPatches: rows.floats(block))
    }
    let kMeans = try KMeans(
      points: FloatMatrix(rows: rows.count, columns: featureDimensions, elements: features),
      count: codes, maximumIterations: maximumIterations, seed: seed, progress: progress)
    self.init(
      projection: projection, codebook: kMeans.centres, trainingDistortions: kMeans.distortions)
  }

  /// Takes the tokenizer that made a dataset, to encode other images with the same codebook.
  ///
  /// - Throws: ``ImageDecoderError`` when another tokenizer made it.
  public init(of file: TokenDatasetFile) throws {
    guard let decoder = file.decoder, let codebook = file.codebook else {
      throw ImageDecoderError.noPatches(file.path)
    }
    guard decoder.kind == Self.decoderKind else {
      throw ImageDecoderError.unknownDecoder(file.path, kind: decoder.kind)
    }
    self.init(
      projection: try PatchProjection(
        decoderParameters: decoder, featureDimensions: file.featureDimensions, file: file.path),
      codebook: codebook, trainingDistortions: [])
  }

  private init(
    projection: PatchProjection, codebook: FloatMatrix, trainingDistortions: [Double]
  ) {
    self.projection = projection
    self.codebook = codebook
    self.trainingDistortions = trainingDistortions
    search = NearestRows(codebook)
  }

  /// The codes of images, one after the other, each in raster order.
  ///
  /// - Precondition: the sides of the images are multiples of ``patchSize``.
  /// - Complexity: O(patches · K·d), on all cores.
  public func encode(_ images: [RGBImage]) -> [UInt32] {
    let features = BLAS.onCallingThread {
      parallelMap(images) { projection.features(of: $0) }
    }.flatMap(\.self)
    return search.nearest(
      to: FloatMatrix(
        rows: features.count / featureDimensions, columns: featureDimensions, elements: features))
  }

  /// The image that codes stand for.
  ///
  /// - Parameter codes: rows · columns of them, in raster order, each below K.
  /// - Complexity: O(patches · d·p²).
  public func decode(_ codes: [UInt32], rows: Int, columns: Int) -> RGBImage {
    precondition(codes.count == rows * columns, "there is one code for each cell")
    return projection.image(
      fromFeatures: codebook.gatherRows(codes[...]), rows: rows, columns: columns)
  }

  /// What a file needs so that its codes can be turned into images: `mean` (p, p, 3) and `basis`
  /// (d, p, p, 3), both in grey levels; a patch is mean + Σ feature·basis.
  public var decoderParameters: TokenDecoderParameters { projection.decoderParameters }
}

/// Why images cannot be turned into tokens as asked.
public enum PatchTokenizerError: Error, Equatable, CustomStringConvertible {
  /// The number of codes is not positive.
  case invalidCodeCount(Int)
  /// The number of channels is not between 1 and the numbers of a patch.
  case invalidFeatureDimensions(Int, patchSize: Int)
  /// The patches span fewer directions than channels were asked for.
  case tooLittleVariation(directions: Int, wanted: Int)
  /// A number that must be positive is not.
  case invalidNumber(String, Int)
  /// The images that the grid's patches cover would have too many pixels along a side.
  case imageTooLarge(grid: TokenGrid, patchSize: Int, largestSide: Int)
  /// The tokenizer of a file has another patch size than the one asked for.
  case otherPatchSize(String, found: Int, wanted: Int)

  /// What was found, what was expected and what to do, in one sentence.
  public var description: String {
    switch self {
    case .invalidCodeCount(let count):
      "\(count) codes were asked for; at least 1 is expected"
    case .invalidFeatureDimensions(let d, let p):
      "\(d) feature dimensions were asked for; a patch of \(p)x\(p) pixels has 1 to \(p * p * 3)"
    case .tooLittleVariation(let directions, let wanted):
      "\(wanted) feature dimensions were asked for, but the patches vary in only \(directions) "
        + "directions; ask for at most \(directions), or give other images"
    case .invalidNumber(let name, let value):
      "the \(name) is \(value); at least 1 is expected"
    case .imageTooLarge(let grid, let patchSize, let side):
      "\(grid) patches of \(patchSize)x\(patchSize) pixels were asked for; images have at most \(side) pixels along a side"
    case .otherPatchSize(let file, let found, let wanted):
      "\(file): its tokenizer has patches of \(found) pixels, but \(wanted) were asked for"
    }
  }
}
