import Foundation
import NeuralKernels
import PARTransformer
import TokenData
import TokenGrids
import VisualTokenizers

/// Sheets of samples that a training run leaves on its way, `preview-000500.png` after step 500.
struct PreviewSheet {
  private let dataset: TokenDataset
  private let order: GenerationOrder
  private let directory: String
  private let seed: UInt64
  private let team: WorkerTeam

  /// Images on a sheet.
  private static let count = 16

  /// - Throws: an error that names the dataset when it has no decoder, before anything is trained.
  init(of dataset: TokenDataset, orders: OrderMixture, in directory: String, seed: UInt64) throws {
    _ = try TokenImages(of: dataset)
    let steps = (orders.fewestSteps + orders.mostSteps) / 2
    self.dataset = dataset
    order = try OrderSpecification("halton:schedule=cosine,steps=\(steps)").order(on: dataset.grid)
    (self.directory, self.seed) = (directory, seed)
    team = WorkerTeam()
  }

  /// Draws one image of each class in turn, the same random numbers each time, and writes the sheet.
  func write(step: Int, _ weights: AnyOrderWeights) throws {
    let labels = (0..<Self.count).map { $0 % weights.configuration.classes }
    let images = try AnyOrderSampler(
      weights: weights, orders: [order],
      options: SamplingOptions(seed: seed, batchSize: Self.count), team: team
    ).generate(labels: labels)
    guard let codebook = dataset.codebook else { return }
    let samples = try TokenDataset(
      name: "preview", grid: dataset.grid,
      tokens: .codes(images.flatMap { $0.map { UInt32($0) } }, codebook: codebook),
      decoder: dataset.decoder)
    let pictures = try TokenImages(of: samples)
    let number = String(step)
    let name = "preview-" + String(repeating: "0", count: max(0, 6 - number.count)) + number
    try RGBImage(contactSheetOf: (0..<Self.count).map { try pictures.image($0) })
      .writePNG(to: directory + "/\(name).png")
  }
}
