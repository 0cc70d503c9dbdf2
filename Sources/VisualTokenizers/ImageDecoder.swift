import TokenData
import TokenGrids

/// Turns the features of tokens back into an image.
public protocol ImageDecoder: Sendable {
  /// The image of one frame of tokens.
  ///
  /// - Parameter features: row-major `rows × columns × d`.
  func image(fromFeatures features: [Float], rows: Int, columns: Int) -> RGBImage
}

/// The images of a dataset, as its tokens show them.
public struct TokenImages: Sendable {
  private let tokens: any TokenFeatures
  private let decoder: any ImageDecoder

  /// Finds the decoder of a file or dataset.
  ///
  /// - Throws: ``ImageDecoderError`` when the tokens have no decoder, or one that is not known.
  public init(of tokens: some DescribedTokens) throws {
    try self.init(tokens: tokens, parameters: tokens.decoder, file: tokens.place)
  }

  private init(
    tokens: any TokenFeatures, parameters: TokenDecoderParameters?, file: String
  ) throws {
    guard let parameters else { throw ImageDecoderError.noDecoder(file) }
    self.tokens = tokens
    switch parameters.kind {
    case PatchTokenizer.decoderKind:
      decoder = try PatchProjection(
        decoderParameters: parameters, featureDimensions: tokens.featureDimensions, file: file)
    default:
      throw ImageDecoderError.unknownDecoder(file, kind: parameters.kind)
    }
  }

  /// Image `index`; of a video, its frames from left to right.
  ///
  /// - Throws: `TokenDataError` when the tokens cannot be read.
  /// - Precondition: there is an image of this number.
  public func image(_ index: Int) throws -> RGBImage {
    let grid = tokens.grid
    let features = try tokens.features(ofImages: index..<(index + 1))
    let numbersPerFrame = features.count / grid.frames
    let frames = (0..<grid.frames).map { frame in
      decoder.image(
        fromFeatures: Array(
          features[(frame * numbersPerFrame)..<((frame + 1) * numbersPerFrame)]),
        rows: grid.rows, columns: grid.columns)
    }
    var strip = RGBImage(
      width: frames.map(\.width).reduce(0, +), height: frames.first?.height ?? 0)
    for (i, frame) in frames.enumerated() { strip.draw(frame, left: i * frame.width, top: 0) }
    return strip
  }
}

/// Why the tokens of a dataset cannot be shown as images.
public enum ImageDecoderError: Error, Equatable, CustomStringConvertible {
  /// The dataset says nothing about decoding.
  case noDecoder(String)
  /// The dataset does not say how images become its tokens.
  case noPatches(String)
  /// The dataset names a decoder that this program does not know.
  case unknownDecoder(String, kind: String)
  /// The parameters of the decoder do not fit each other or the codebook.
  case invalidParameters(String, reason: String)

  /// What was found, and what was expected, in one sentence.
  public var description: String {
    switch self {
    case .noDecoder(let file):
      "\(file): has no /decoder, so its tokens cannot be turned into images"
    case .noPatches(let file):
      "\(file): has no /decoder of patches and codebook, so other images cannot be encoded as its are"
    case .unknownDecoder(let file, let kind):
      "\(file): its decoder is \"\(kind)\"; this program knows \"\(PatchTokenizer.decoderKind)\""
    case .invalidParameters(let file, let reason):
      "\(file): the parameters in /decoder do not fit: \(reason)"
    }
  }
}
