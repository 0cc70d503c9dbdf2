import Files
import Foundation
import TokenData
import TokenGrids

/// What a training run is made of: everything that its result depends on.
struct TrainingRun: Codable, Hashable, Sendable {
  var settings: TrainingSettings
  /// Parts of a batch whose gradients are computed apart and added up in order.
  var shards: Int
  var dataset: String
  var datasetHash: String
  var codebookHash: String
  var grid: String
  var codes: Int
  var classes: Int
  var order: String
  var orderHash: String
  var tokensPerStep: Int
  var attention: String

  init(
    tokens: TokenDataset, order: GenerationOrder, tokensPerStep: Int, attention: AttentionPattern,
    settings: TrainingSettings, shards: Int
  ) throws(TrainingError) {
    guard let codes = tokens.codes, let codebook = tokens.codebook else {
      throw .noCodes(dataset: tokens.name)
    }
    self.settings = settings
    self.shards = shards
    dataset = tokens.name
    datasetHash = Self.hash(codes + (tokens.labels?.values ?? []))
    codebookHash = Self.hash(codebook.elements)
    grid = "\(tokens.grid)"
    self.codes = codebook.rows
    classes = tokens.labels.map { max(1, $0.classCount) } ?? 1
    self.order = order.name
    orderHash = Self.hash(of: order)
    self.tokensPerStep = tokensPerStep
    self.attention = attention.rawValue
  }

  /// The hash of a codebook or of codes and labels: of the numbers in memory, whatever file they came from.
  static func hash<T: BitwiseCopyable>(_ values: [T]) -> String {
    values.withUnsafeBytes { ContentHash(of: Data($0)).description }
  }

  /// The hash of an order's steps, whatever its name.
  static func hash(of order: GenerationOrder) -> String {
    ContentHash(of: Data(order.jsonText.utf8)).description
  }

  var configuration: PARConfiguration {
    PARConfiguration(
      layers: settings.layers, heads: settings.heads, width: settings.width, codes: codes,
      classes: classes, tokensPerStep: tokensPerStep)
  }

  /// Makes sure that this run, of a checkpoint, is the one that is asked for. How often checkpoints are written and into
  /// how many shards a batch falls may differ: the run goes on with its own.
  func check(isSameAs other: TrainingRun, checkpoint: String) throws(TrainingError) {
    let facts =
      [
        ("tokens per step", "\(tokensPerStep)", "\(other.tokensPerStep)"),
        ("attention", attention, other.attention),
        ("grid", grid, other.grid),
        ("order", "\(order) (\(orderHash))", "\(other.order) (\(other.orderHash))"),
        ("codebook", codebookHash, other.codebookHash),
        ("dataset", "\(dataset) (\(datasetHash))", "\(other.dataset) (\(other.datasetHash))"),
        ("codes", "\(codes)", "\(other.codes)"), ("classes", "\(classes)", "\(other.classes)"),
      ] + Self.differences(settings, other.settings)
    let isByHash: Set = ["order", "dataset"]
    for (what, found, asked) in facts where found != asked {
      // A file may be renamed, and an order too.
      if isByHash.contains(what) {
        let same = what == "order" ? orderHash == other.orderHash : datasetHash == other.datasetHash
        if same { continue }
      }
      throw .differentRun(checkpoint: checkpoint, what: what, found: found, asked: asked)
    }
  }

  /// The settings of two runs, by name.
  static func differences(
    _ a: TrainingSettings, _ b: TrainingSettings
  ) -> [(what: String, found: String, asked: String)] {
    [
      ("layers", "\(a.layers)", "\(b.layers)"), ("heads", "\(a.heads)", "\(b.heads)"),
      ("width", "\(a.width)", "\(b.width)"), ("steps", "\(a.steps)", "\(b.steps)"),
      ("batch size", "\(a.batchSize)", "\(b.batchSize)"),
      ("learning rate", "\(a.learningRate)", "\(b.learningRate)"),
      ("weight decay", "\(a.weightDecay)", "\(b.weightDecay)"),
      ("dropout", "\(a.dropout)", "\(b.dropout)"),
      ("label dropout", "\(a.labelDropout)", "\(b.labelDropout)"),
      ("warm-up", "\(a.warmup)", "\(b.warmup)"), ("clip", "\(a.clip)", "\(b.clip)"),
      ("seed", "\(a.seed)", "\(b.seed)"),
      ("validation images", Self.text(a.validationImages), Self.text(b.validationImages)),
      ("validation interval", Self.text(a.validationInterval), Self.text(b.validationInterval)),
    ]
  }

  private static func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "by default" }
}
