import EntropyEstimation
import Reporting

/// Progress of an estimation on standard error, a line for each stage.
final class EstimationProgress: Sendable {
  private let summing: ProgressLine
  private let factoring: ProgressLine
  private let mapping: ProgressLine
  private let training: ProgressLine

  init(images: Int, orders: Int) {
    training = ProgressLine("training", total: 0, unit: "epochs")
    summing = ProgressLine("summing products", total: images, unit: "images")
    factoring = ProgressLine("factoring orders", total: orders, unit: "orders")
    mapping = ProgressLine("fitting on references", total: orders, unit: "references")
  }

  func update(_ stage: EstimationStage) {
    switch stage {
    case .summing(let done, _): summing.update(done)
    case .factoring(let done, _):
      summing.finish()
      factoring.update(done)
    case .mapping(let done, _): mapping.update(done)
    case .training(let done, let total, let loss):
      training.update(done, of: total, "loss \(loss.fixed(3)) nats a token")
    }
  }

  func finish() {
    summing.finish()
    factoring.finish()
    mapping.finish()
    training.finish()
  }
}
