/// One parameter tensor of an any-order transformer.
///
/// The one place that knows what checkpoints call the tensors and what shapes they have.
public enum AnyOrderParameter: Hashable, Sendable {
  /// C × D.
  case classEmbedding
  /// 1 × D: what stands for no class.
  case nullEmbedding
  /// K × D.
  case tokenEmbedding
  /// 1 × (N + 1) × D: the class's position, then those of the cells in raster order.
  case positionEmbedding
  /// 1 × 1 × D: what stands for a token that is to be predicted.
  case maskEmbedding
  /// D: the scale of the norm of the input.
  case inputNormWeight
  /// D: the shift of the norm of the input.
  case inputNormBias
  /// A parameter of block `i`, from zero.
  case layer(Int, LayerPart)
  /// D: the scale of the last norm.
  case normWeight
  /// D: the shift of the last norm.
  case normBias
  /// K × D: the output head, without a bias.
  case output

  /// The parameters of one block.
  public enum LayerPart: String, CaseIterable, Sendable {
    /// D: the scale of the norm before attention.
    case attentionNormWeight = "norm1.weight"
    /// D: its shift.
    case attentionNormBias = "norm1.bias"
    /// 3D × D: queries, keys and values, each head-major.
    case queriesKeysValues = "attn.qkv.weight"
    /// 3D.
    case queriesKeysValuesBias = "attn.qkv.bias"
    /// D × D: from the heads back to the residual stream.
    case attentionOutput = "attn.proj.weight"
    /// D.
    case attentionOutputBias = "attn.proj.bias"
    /// D: the scale of the norm before the feed-forward layer.
    case feedForwardNormWeight = "norm2.weight"
    /// D: its shift.
    case feedForwardNormBias = "norm2.bias"
    /// 4D × D: what goes through the GELU.
    case up = "mlp.fc1.weight"
    /// 4D.
    case upBias = "mlp.fc1.bias"
    /// D × 4D: back to the residual stream.
    case down = "mlp.fc2.weight"
    /// D.
    case downBias = "mlp.fc2.bias"
  }

  /// What checkpoints call the tensor.
  public var name: String {
    switch self {
    case .classEmbedding: "class_emb.weight"
    case .nullEmbedding: "fake_latent"
    case .tokenEmbedding: "token_emb.weight"
    case .positionEmbedding: "pos_embed"
    case .maskEmbedding: "mask_token"
    case .inputNormWeight: "z_proj_ln.weight"
    case .inputNormBias: "z_proj_ln.bias"
    case .layer(let index, let part): "blocks.\(index).\(part.rawValue)"
    case .normWeight: "norm.weight"
    case .normBias: "norm.bias"
    case .output: "head.weight"
    }
  }

  /// The tensor's shape in a model of the given configuration.
  public func shape(in configuration: AnyOrderConfiguration) -> [Int] {
    let (width, hidden) = (configuration.width, configuration.hiddenWidth)
    switch self {
    case .classEmbedding: return [configuration.classes, width]
    case .nullEmbedding: return [1, width]
    case .tokenEmbedding, .output: return [configuration.codes, width]
    case .positionEmbedding: return [1, configuration.grid.cellCount + 1, width]
    case .maskEmbedding: return [1, 1, width]
    case .inputNormWeight, .inputNormBias, .normWeight, .normBias: return [width]
    case .layer(_, let part):
      return switch part {
      case .queriesKeysValues: [3 * width, width]
      case .queriesKeysValuesBias: [3 * width]
      case .attentionOutput: [width, width]
      case .up: [hidden, width]
      case .upBias: [hidden]
      case .down: [width, hidden]
      case .attentionNormWeight, .attentionNormBias, .attentionOutputBias, .feedForwardNormWeight,
        .feedForwardNormBias, .downBias:
        [width]
      }
    }
  }

  /// Whether the tensor is the scale of a norm, which begins as 1.
  var isScale: Bool {
    switch self {
    case .inputNormWeight, .normWeight, .layer(_, .attentionNormWeight),
      .layer(_, .feedForwardNormWeight):
      true
    default: false
    }
  }

  /// Whether the tensor is a shift or a bias, which begins as 0.
  var isShift: Bool {
    switch self {
    case .inputNormBias, .normBias: true
    case .layer(_, let part): part.rawValue.hasSuffix("bias")
    default: false
    }
  }

  /// Whether weights of the tensor decay in training: matrices do; norms, biases and the single vectors that are added to
  /// every input do not.
  var decays: Bool {
    switch self {
    case .nullEmbedding, .positionEmbedding, .maskEmbedding: false
    default: !isScale && !isShift
    }
  }
}
