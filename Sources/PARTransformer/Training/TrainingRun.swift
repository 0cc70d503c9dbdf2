import TokenData
import TokenGrids

/// What a training run is made of: everything that its result depends on.
struct TrainingRun<Plan: TrainingPlan>: Hashable, Sendable {
  var settings: TrainingSettings
  /// Parts of a batch whose gradients are computed apart and added up in order.
  var shards: Int
  var dataset: String
  var datasetHash: String
  var codebookHash: String
  var grid: String
  var codes: Int
  var classes: Int
  var plan: Plan

  init(
    tokens: TokenDataset, plan: Plan, settings: TrainingSettings, shards: Int
  ) throws(TrainingError) {
    guard let codes = tokens.codes, let codebook = tokens.codebook else {
      throw .noCodes(dataset: tokens.name)
    }
    (self.settings, self.shards, self.plan) = (settings, shards, plan)
    dataset = tokens.name
    datasetHash = NumberHash.text(of: codes + (tokens.labels?.values ?? []))
    codebookHash = NumberHash.text(of: codebook.elements)
    grid = "\(tokens.grid)"
    self.codes = codebook.rows
    classes = tokens.labels.map { max(1, $0.classCount) } ?? 1
  }

  /// Makes sure that this run, of a checkpoint, is the one that is asked for. How often checkpoints are written and into
  /// how many shards a batch falls may differ: the run goes on with its own.
  func check(isSameAs other: TrainingRun, checkpoint: String) throws(TrainingError) {
    let facts =
      // Another grid makes for another order too.
      [RunFact("grid", grid, other.grid)] + plan.facts(beside: other.plan) + [
        RunFact("codebook", codebookHash, other.codebookHash),
        // A file may be renamed.
        RunFact(
          "dataset", "\(dataset) (\(datasetHash))", "\(other.dataset) (\(other.datasetHash))",
          isSame: datasetHash == other.datasetHash),
        RunFact("codes", "\(codes)", "\(other.codes)"),
        RunFact("classes", "\(classes)", "\(other.classes)"),
      ] + settingsFacts(settings, beside: other.settings)
    for fact in facts where !fact.isSame {
      throw .differentRun(
        checkpoint: checkpoint, what: fact.what, found: fact.found, asked: fact.asked)
    }
  }

  /// What a model's file says of its run.
  func metadata(
    of model: Plan.Model, step: Int, validationLoss: Double?
  ) throws -> [String: String] {
    var metadata = [
      "format": "pt", "heads": "\(settings.heads)", "grid": grid, "codebook_hash": codebookHash,
      "dataset": dataset, "dataset_hash": datasetHash,
      "settings": try TrainedModel.json(settings), "step": "\(step)", "classes": "\(classes)",
    ]
    metadata["validation_loss"] = validationLoss.map { "\($0)" }
    return metadata.merging(try plan.metadata(of: model)) { $1 }
  }
}

/// The plan's fields stand beside the others, as checkpoints have always had them.
extension TrainingRun: Codable {
  private enum CodingKeys: String, CodingKey {
    case settings, shards, dataset, datasetHash, codebookHash, grid, codes, classes
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    settings = try fields.decode(TrainingSettings.self, forKey: .settings)
    shards = try fields.decode(Int.self, forKey: .shards)
    dataset = try fields.decode(String.self, forKey: .dataset)
    datasetHash = try fields.decode(String.self, forKey: .datasetHash)
    codebookHash = try fields.decode(String.self, forKey: .codebookHash)
    grid = try fields.decode(String.self, forKey: .grid)
    codes = try fields.decode(Int.self, forKey: .codes)
    classes = try fields.decode(Int.self, forKey: .classes)
    plan = try Plan(from: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(settings, forKey: .settings)
    try fields.encode(shards, forKey: .shards)
    try fields.encode(dataset, forKey: .dataset)
    try fields.encode(datasetHash, forKey: .datasetHash)
    try fields.encode(codebookHash, forKey: .codebookHash)
    try fields.encode(grid, forKey: .grid)
    try fields.encode(codes, forKey: .codes)
    try fields.encode(classes, forKey: .classes)
    try plan.encode(to: encoder)
  }
}

extension TrainingRun where Plan == PARPlan {
  init(
    tokens: TokenDataset, order: GenerationOrder, tokensPerStep: Int, attention: AttentionPattern,
    settings: TrainingSettings, shards: Int
  ) throws(TrainingError) {
    try self.init(
      tokens: tokens,
      plan: PARPlan(order: order, tokensPerStep: tokensPerStep, attention: attention),
      settings: settings, shards: shards)
  }

  var configuration: PARConfiguration {
    PARConfiguration(
      layers: settings.layers, heads: settings.heads, width: settings.width, codes: codes,
      classes: classes, tokensPerStep: plan.tokensPerStep)
  }
}

/// The settings of two runs.
private func settingsFacts(_ a: TrainingSettings, beside b: TrainingSettings) -> [RunFact] {
  func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "by default" }
  return [
    RunFact("layers", "\(a.layers)", "\(b.layers)"), RunFact("heads", "\(a.heads)", "\(b.heads)"),
    RunFact("width", "\(a.width)", "\(b.width)"), RunFact("steps", "\(a.steps)", "\(b.steps)"),
    RunFact("batch size", "\(a.batchSize)", "\(b.batchSize)"),
    RunFact("learning rate", "\(a.learningRate)", "\(b.learningRate)"),
    RunFact("weight decay", "\(a.weightDecay)", "\(b.weightDecay)"),
    RunFact("dropout", "\(a.dropout)", "\(b.dropout)"),
    RunFact("label dropout", "\(a.labelDropout)", "\(b.labelDropout)"),
    RunFact("warm-up", "\(a.warmup)", "\(b.warmup)"), RunFact("clip", "\(a.clip)", "\(b.clip)"),
    RunFact("seed", "\(a.seed)", "\(b.seed)"),
    RunFact("validation images", text(a.validationImages), text(b.validationImages)),
    RunFact("validation interval", text(a.validationInterval), text(b.validationInterval)),
  ]
}
