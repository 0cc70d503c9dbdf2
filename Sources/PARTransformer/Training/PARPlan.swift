import TokenGrids

/// One order for all images, cut for a model of n tokens a step.
struct PARPlan: TrainingPlan {
  static let checkpointFormat = "par-training-checkpoint"

  var order: String
  var orderHash: String
  var tokensPerStep: Int
  var attention: String

  init(order: GenerationOrder, tokensPerStep: Int, attention: AttentionPattern) {
    self.order = order.name
    orderHash = NumberHash.text(of: order)
    self.tokensPerStep = tokensPerStep
    self.attention = attention.rawValue
  }

  func facts(beside other: PARPlan) -> [RunFact] {
    [
      RunFact("tokens per step", "\(tokensPerStep)", "\(other.tokensPerStep)"),
      RunFact("attention", attention, other.attention),
      // An order may be renamed.
      RunFact(
        "order", "\(order) (\(orderHash))", "\(other.order) (\(other.orderHash))",
        isSame: orderHash == other.orderHash),
    ]
  }

  func metadata(of model: LearningPAR) -> [String: String] {
    [
      "order": order, "order_hash": orderHash, "order_steps": model.sequence.order.jsonText,
      "tokens_per_step": "\(tokensPerStep)", "attention": attention,
    ]
  }

  func images(
    _ images: [TrainingImage], step: Int?, _ random: TrainingRandomness
  ) -> [TrainingImage] { images }
}
