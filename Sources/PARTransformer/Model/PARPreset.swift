/// The published model sizes. (LlamaGen, table 1; PAR, section 4.1.)
public enum PARPreset: String, CaseIterable, Sendable {
  case base = "B"
  case large = "L"
  case extraLarge = "XL"
  case doubleExtraLarge = "XXL"
  case threeBillion = "3B"

  /// The size's configuration for 16,384 codes and 1000 classes.
  public func configuration(tokensPerStep: Int = 4) -> PARConfiguration {
    let (layers, heads, width) = extents
    return PARConfiguration(
      layers: layers, heads: heads, width: width, tokensPerStep: tokensPerStep)
  }

  private var extents: (layers: Int, heads: Int, width: Int) {
    switch self {
    case .base: (12, 12, 768)
    case .large: (24, 16, 1024)
    case .extraLarge: (36, 20, 1280)
    case .doubleExtraLarge: (48, 24, 1536)
    case .threeBillion: (24, 32, 3200)
    }
  }

  /// The number of heads of the published size with these layers and this width, if there is one.
  static func heads(layers: Int, width: Int) -> Int? {
    allCases.first { $0.extents.layers == layers && $0.extents.width == width }?.extents.heads
  }
}
