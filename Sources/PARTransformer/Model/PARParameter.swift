/// One parameter tensor of a PAR transformer.
///
/// The one place that knows what checkpoints call the tensors and what shapes they have.
public enum PARParameter: Hashable, Sendable {
  /// (classes + 1) × D; the last row is the null class.
  case classEmbedding
  /// K × D.
  case tokenEmbedding
  /// (n − 1) × D: the learned transition tokens M; only when n > 1.
  case transitionEmbedding
  /// A parameter of block `i`, from zero.
  case layer(Int, LayerPart)
  /// D: the scale of the last norm.
  case norm
  /// K × D: the output head.
  case output

  /// The parameters of one block.
  public enum LayerPart: String, CaseIterable, Sendable {
    /// D: the scale of the norm before attention.
    case attentionNorm = "attention_norm"
    /// 3D × D: queries, keys and values, each head-major.
    case queriesKeysValues = "attention.wqkv"
    /// D × D: from the heads back to the residual stream.
    case attentionOutput = "attention.wo"
    /// D: the scale of the norm before the feed-forward layer.
    case feedForwardNorm = "ffn_norm"
    /// F × D: what goes through SiLU.
    case gate = "feed_forward.w1"
    /// F × D: what the gate multiplies.
    case up = "feed_forward.w3"
    /// D × F: back to the residual stream.
    case down = "feed_forward.w2"
  }

  /// What checkpoints call the tensor.
  public var name: String {
    switch self {
    case .classEmbedding: "cls_embedding.embedding_table.weight"
    case .tokenEmbedding: "tok_embeddings.weight"
    case .transitionEmbedding: "spe_tok_embeddings.special_embeddings.weight"
    case .layer(let index, let part): "layers.\(index).\(part.rawValue).weight"
    case .norm: "norm.weight"
    case .output: "output.weight"
    }
  }

  /// The tensor's shape in a model of the given configuration.
  public func shape(in configuration: PARConfiguration) -> [Int] {
    let width = configuration.width
    return switch self {
    case .classEmbedding: [configuration.classes + 1, width]
    case .tokenEmbedding, .output: [configuration.codes, width]
    case .transitionEmbedding: [configuration.tokensPerStep - 1, width]
    case .norm, .layer(_, .attentionNorm), .layer(_, .feedForwardNorm): [width]
    case .layer(_, .queriesKeysValues): [3 * width, width]
    case .layer(_, .attentionOutput): [width, width]
    case .layer(_, .gate), .layer(_, .up): [configuration.hiddenWidth, width]
    case .layer(_, .down): [width, configuration.hiddenWidth]
    }
  }

  /// Whether a forward pass reads the whole tensor, rather than single rows of it.
  var isStreamed: Bool {
    switch self {
    case .classEmbedding, .tokenEmbedding, .transitionEmbedding: false
    default: true
    }
  }

  /// Whether the tensor is the scale of a norm, which begins as 1.
  var isScale: Bool {
    switch self {
    case .norm, .layer(_, .attentionNorm), .layer(_, .feedForwardNorm): true
    default: false
    }
  }

  /// Whether the tensor is a shift or a bias: there are none.
  var isShift: Bool { false }

  /// Whether weights of the tensor decay in training: matrices do, the scales of norms do not.
  var decays: Bool { !isScale }
}
