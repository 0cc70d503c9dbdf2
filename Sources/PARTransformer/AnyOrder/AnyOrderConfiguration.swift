import TokenGrids

/// The extents of an any-order transformer: a decoder over image tokens that is told which cell to predict by a position
/// embedding, and so takes any ordered partition of the grid. (Zhang et al., "Locality-aware Parallel Decoding", 2025,
/// arXiv:2507.01957.)
public struct AnyOrderConfiguration: Hashable, Sendable {
  /// The number of transformer blocks.
  public var layers: Int
  /// The number of attention heads; each is `width / heads` wide.
  public var heads: Int
  /// D, the width of the residual stream.
  public var width: Int
  /// K, the number of codes a token is chosen from.
  public var codes: Int
  /// C, the number of classes, the unconditional one not counted.
  public var classes: Int
  /// The grid that the learned position embeddings are for.
  public var grid: TokenGrid

  /// The ε of all layer norms.
  public static let normEpsilon: Float = 1e-6

  /// Makes a configuration; without the last arguments that of the published models for 256 × 256 pixels.
  public init(
    layers: Int, heads: Int, width: Int, codes: Int = 16_384, classes: Int = 1000,
    grid: TokenGrid = TokenGrid(rows: 16, columns: 16)
  ) {
    self.layers = layers
    self.heads = heads
    self.width = width
    self.codes = codes
    self.classes = classes
    self.grid = grid
  }

  /// The width between the two products of a feed-forward layer.
  public var hiddenWidth: Int { 4 * width }

  /// The width of one attention head.
  public var headWidth: Int { width / heads }

  /// The label that stands for no class.
  public var nullClass: Int { classes }

  /// All parameters, in the order of the computation.
  public var parameters: [AnyOrderParameter] {
    [
      .classEmbedding, .nullEmbedding, .tokenEmbedding, .positionEmbedding, .maskEmbedding,
      .inputNormWeight, .inputNormBias,
    ]
      + (0..<layers).flatMap { layer in
        AnyOrderParameter.LayerPart.allCases.map { .layer(layer, $0) }
      } + [.normWeight, .normBias, .output]
  }

  /// The number of parameters.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + $1.shape(in: self).reduce(1, *) }
  }

  /// Makes sure that the extents fit one another.
  ///
  /// - Throws: ``PARError/impossibleConfiguration(_:)`` for the first that does not.
  public func validate() throws(PARError) {
    for (name, extent) in [
      ("layers", layers), ("heads", heads), ("width", width), ("codes", codes),
      ("classes", classes), ("cells", grid.cellCount),
    ] where !(1...PARConfiguration.largestExtent).contains(extent) {
      throw .impossibleConfiguration(
        "\(name) is \(extent); expected 1 to \(PARConfiguration.largestExtent)")
    }
    guard width % heads == 0, headWidth % 2 == 0 else {
      throw .impossibleConfiguration(
        "a width of \(width) does not divide into \(heads) heads of an even width")
    }
  }

  /// Refuses a model that does not fit into memory.
  func requireMemory(bytesPerParameter: Double, for purpose: String) throws(PARError) {
    // The same extents in floating point: those of a damaged file may overflow an `Int`.
    let (d, l) = (Double(width), Double(layers))
    let count =
      l * (12 * d * d + 13 * d) + d * Double(classes + 2 * codes + grid.cellCount + 7)
    try PARConfiguration.requireMemory(
      parameters: count, layers: layers, width: width, bytesPerParameter: bytesPerParameter,
      for: purpose)
  }
}

/// The published sizes of the any-order transformer. (LPD, table 1.)
public enum AnyOrderPreset: String, CaseIterable, Sendable {
  case large = "LPD-L"
  case extraLarge = "LPD-XL"
  case doubleExtraLarge = "LPD-XXL"

  /// The size's configuration for 16,384 codes, 1000 classes and 16 × 16 tokens.
  public var configuration: AnyOrderConfiguration {
    let (layers, heads, width) = extents
    return AnyOrderConfiguration(layers: layers, heads: heads, width: width)
  }

  private var extents: (layers: Int, heads: Int, width: Int) {
    switch self {
    case .large: (24, 16, 1024)
    case .extraLarge: (36, 20, 1280)
    case .doubleExtraLarge: (48, 24, 1536)
    }
  }

  /// The number of heads of the published size with these layers and this width, if there is one.
  static func heads(layers: Int, width: Int) -> Int? {
    allCases.first { $0.extents.layers == layers && $0.extents.width == width }?.extents.heads
  }
}
