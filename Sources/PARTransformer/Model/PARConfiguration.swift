import SystemResources

/// The extents of a PAR transformer: a LLaMA-style decoder over image tokens, conditioned on a class.
public struct PARConfiguration: Hashable, Sendable {
  /// The number of transformer blocks.
  public var layers: Int
  /// The number of attention heads; each is `width / heads` wide.
  public var heads: Int
  /// D, the width of the residual stream.
  public var width: Int
  /// F, the width between the two products of a feed-forward layer.
  public var hiddenWidth: Int
  /// K, the number of codes a token is chosen from.
  public var codes: Int
  /// The number of classes, the null class not counted.
  public var classes: Int
  /// n, the number of tokens generated at once; the model has n − 1 learned transition tokens.
  public var tokensPerStep: Int

  /// The ε of all RMS norms.
  public static let normEpsilon: Float = 1e-5

  /// Makes a configuration; `hiddenWidth` follows from the width where none is given.
  public init(
    layers: Int, heads: Int, width: Int, hiddenWidth: Int? = nil, codes: Int = 16_384,
    classes: Int = 1000, tokensPerStep: Int = 4
  ) {
    self.layers = layers
    self.heads = heads
    self.width = width
    self.hiddenWidth = hiddenWidth ?? Self.standardHiddenWidth(of: width)
    self.codes = codes
    self.classes = classes
    self.tokensPerStep = tokensPerStep
  }

  /// ⌊8·width/3⌋, rounded up to a multiple of 256: what the published models use.
  public static func standardHiddenWidth(of width: Int) -> Int { (8 * width / 3 + 255) / 256 * 256 }

  /// The width of one attention head.
  public var headWidth: Int { width / heads }

  /// The label that stands for no class: the last row of the class embedding.
  public var nullClass: Int { classes }

  /// All parameters, in the order of the computation.
  public var parameters: [PARParameter] {
    var parameters: [PARParameter] = [.classEmbedding, .tokenEmbedding]
    if tokensPerStep > 1 { parameters.append(.transitionEmbedding) }
    for layer in 0..<layers {
      parameters += PARParameter.LayerPart.allCases.map { .layer(layer, $0) }
    }
    return parameters + [.norm, .output]
  }

  /// The number of parameters.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + $1.shape(in: self).reduce(1, *) }
  }

  /// The parameters that one forward pass reads in full; embeddings are read a row at a time.
  public var streamedParameterCount: Int {
    parameters.filter(\.isStreamed).reduce(0) { $0 + $1.shape(in: self).reduce(1, *) }
  }

  /// The largest of any extent: beyond all models, and small enough that products of three fit into an `Int`.
  public static let largestExtent = 1 << 20

  /// The number of parameters, which of extents at their largest would overflow an `Int`.
  private var approximateParameterCount: Double {
    func count(_ parameters: [PARParameter]) -> Double {
      parameters.reduce(0) { $0 + $1.shape(in: self).reduce(1) { $0 * Double($1) } }
    }
    return count([.classEmbedding, .tokenEmbedding, .transitionEmbedding, .norm, .output])
      + Double(layers) * count(PARParameter.LayerPart.allCases.map { .layer(0, $0) })
  }

  /// Refuses a model that does not fit into memory.
  ///
  /// - Parameters:
  ///   - bytesPerParameter: What each parameter takes at the least.
  ///   - purpose: What of the model takes it, such as `weights`.
  /// - Throws: ``PARError/tooLittleMemory(_:remedy:)``.
  func requireMemory(bytesPerParameter: Double, for purpose: String) throws(PARError) {
    try Self.requireMemory(
      parameters: approximateParameterCount, layers: layers, width: width,
      bytesPerParameter: bytesPerParameter, for: purpose)
  }

  /// The same for so many parameters.
  static func requireMemory(
    parameters count: Double, layers: Int, width: Int, bytesPerParameter: Double,
    for purpose: String
  ) throws(PARError) {
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        count * bytesPerParameter,
        for: "the \(purpose) of \(Int(count)) parameters (\(layers) layers of width \(width))")
    } catch {
      throw .tooLittleMemory(error, remedy: "use fewer layers or a smaller width")
    }
  }

  /// Makes sure that the extents fit one another.
  ///
  /// - Throws: ``PARError/impossibleConfiguration(_:)`` for the first that does not.
  public func validate() throws(PARError) {
    let extents = [
      ("layers", layers), ("heads", heads), ("width", width), ("hidden width", hiddenWidth),
      ("codes", codes), ("classes", classes), ("tokens per step", tokensPerStep),
    ]
    for (name, extent) in extents where !(1...Self.largestExtent).contains(extent) {
      throw .impossibleConfiguration(
        "\(name) is \(extent); expected 1 to \(Self.largestExtent)")
    }
    guard width % heads == 0 else {
      throw .impossibleConfiguration("a width of \(width) does not divide into \(heads) heads")
    }
    guard headWidth % 4 == 0 else {
      throw .impossibleConfiguration(
        "a head of width \(headWidth) has no equal number of coordinate pairs for rows and columns;"
          + " expected a multiple of 4")
    }
  }
}
