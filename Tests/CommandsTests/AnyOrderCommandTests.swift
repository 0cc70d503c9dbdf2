import Foundation
import PARTransformer
import Testing
import TokenData
import TokenGrids

private let trainer = Program(name: "par-train")
private let sampler = Program(name: "par-sample")

private let tiny = [
  "--layers", "1", "--heads", "2", "--width", "16", "--batch", "4", "--validation-images", "10",
  "--threads", "2", "--no-figure",
]

private struct Samples: Decodable {
  struct Sample: Decodable {
    let codes: [[Int]]
  }
  let architecture, order: String
  let steps: Int
  let samples: [Sample]
}

private struct Losses: Decodable {
  struct Order: Decodable {
    let name: String
    let steps: Int
    let lost, lost_standard_error: Double
    let lost_by_step: [Double]
  }
  let images: Int
  let held_out: Bool
  let orders: [Order]
}

/// A run in a folder of its own, stopped and resumed without its options, then sampled in orders it was not trained in,
/// measured, and set beside the estimate of the tokens.
@Test func anAnyOrderModelIsTrainedSampledAndMeasured() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try withFile(smallDataset(images: 60)) { data in
    let run = folder.appendingPathComponent("run").path
    let trained = try trainer.run(
      [
        data, "--architecture", "any-order", "--orders", "random:0.5,raster", "--order-steps",
        "4:12", "--output-dir", run, "--steps", "6", "--json",
      ] + tiny)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("\"loss_by_known_tokens\""))
    #expect(trained.output.contains("\"order_steps\":[4,12]"))
    let again = try trainer.run(["--output-dir", run, "--resume", "--no-figure"])
    #expect(again.status == 0 && again.output.contains("step 6"), "\(again.errors)")
    let other = try trainer.run(["--output-dir", run, "--resume", "--width", "32"])
    #expect(other.status == 1 && other.errors.contains("width 16, but 32"), "\(other.errors)")

    func samples(_ more: String...) throws -> Samples {
      let result = try sampler.run(["--model", run, "--json", "--seed", "3"] + more)
      #expect(result.status == 0, "\(result.errors)")
      return try JSONDecoder().decode(Samples.self, from: Data(result.output.utf8))
    }
    let halton = try samples("--order", "halton:schedule=cosine,steps=7")
    #expect(halton.architecture == "any-order" && halton.steps == 7)
    #expect(try samples("--order", "diagonal").steps == 11)
    // Group sizes that lose least on some tokens.
    let optimal = "raster:schedule=optimal,steps=5"
    #expect(try samples("--order", optimal, "--tokens", data).steps == 5)
    for (arguments, sentence) in [
      (["--order", optimal], "name some with --tokens"),
      (["--order", "raster", "--tokens", data], "no order has schedule=optimal"),
      (["--order", optimal, "--tokens", "scenes-12x12"], "its grid is 12x12"),
    ] {
      let refused = try sampler.run(["--model", run, "--json"] + arguments)
      #expect(refused.status != 0 && refused.errors.contains(sentence), "\(refused.errors)")
    }
    // Image i takes order i mod 2: the first and the third image of a file are those of its first order.
    let lists = folder.appendingPathComponent("orders.json").path
    let sequences = [Array(0..<36), Array((0..<36).reversed())]
    try Data("{\"orders\": \(sequences), \"group_sizes\": [4, 8, 24]}".utf8)
      .write(to: URL(fileURLWithPath: lists))
    let both = try samples("--order", lists, "--count", "3")
    let first = try samples("--order", lists + "#0", "--count", "3")
    let second = try samples("--order", lists + "#1", "--count", "3")
    #expect(both.samples[0].codes == first.samples[0].codes)
    #expect(both.samples[1].codes == second.samples[1].codes)
    #expect(both.samples[2].codes == first.samples[2].codes)
    #expect(both.samples[1].codes != first.samples[1].codes)
    let plain = try sampler.run(["--model", run])
    #expect(plain.status == 0 && plain.output.contains("the images were not kept"))
    let pattern = try sampler.run(["--model", run, "--attention", "causal"])
    #expect(pattern.status == 64 && pattern.errors.contains("--attention is for a PAR model"))

    let measured = try trainer.run([
      "likelihood", run, data, "--order", "raster", "--order", "raster:n=1", "--json",
    ])
    #expect(measured.status == 0, "\(measured.errors)")
    let losses = try JSONDecoder().decode(Losses.self, from: Data(measured.output.utf8))
    #expect(losses.held_out && losses.images == 10)
    #expect(losses.orders.map(\.steps) == [12, 36] && abs(losses.orders[1].lost) < 1e-4)
    let sum = losses.orders[0].lost_by_step.reduce(0, +)
    #expect(abs(sum - losses.orders[0].lost) < 1e-6)
    let table = try trainer.run(["likelihood", run, data, "--no-figure"])
    #expect(table.status == 0 && table.output.contains("10 held-out images"), "\(table.errors)")
    let csv = try trainer.run(["likelihood", run, data, "--csv", "--order", "raster"])
    #expect(csv.output.split(separator: "\n").count == 37, "\(csv.errors)")
  }
}

@Test func aComparisonHasWhatAModelLoses() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try withFile(smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)) { data in
    let run = folder.appendingPathComponent("run").path
    let trained = try trainer.run(
      [data, "--architecture", "any-order", "--output-dir", run, "--steps", "3"] + tiny)
    #expect(trained.status == 0, "\(trained.errors)")
    let comparer = Program(name: "order-compare")
    let arguments = ["raster", "random:seeds=2", "--tokens", data, "--likelihood", run]
    let text = try comparer.run(arguments + ["--no-figure"])
    #expect(text.status == 0 && text.output.contains("model's loss"), "\(text.errors)")
    #expect(text.output.contains("on 10 held-out images"))
    let json = try comparer.run(arguments + ["--json"])
    #expect(json.output.contains("\"model_loss\"") && json.output.contains("\"model_images\":10"))
  }
}

@Test(arguments: [
  (["--architecture", "any-order", "--order", "raster"], "--order is for a PAR model"),
  (["--architecture", "any-order", "-n", "4"], "--tokens-per-step is for a PAR model"),
  (["--architecture", "any-order", "--order-steps", "9:4"], "--order-steps 9:4: expected"),
  (["--architecture", "any-order", "--order-steps", "4:99"], "expected 1 to 36"),
  (["--architecture", "any-order", "--orders", "raaster"], "raaster"),
  (["--architecture", "any-order", "--preview-every", "0"], "--preview-every 0"),
  (["--architecture", "any-order", "--preview-every", "2"], "decoder"),
  (["--orders", "raster"], "--orders is for --architecture any-order"),
])
func anyOrderTrainingThatCannotStartSaysWhy(arguments: [String], message: String) throws {
  try withFile(smallDataset(images: 8)) { data in
    let result = try trainer.run([data, "--output-dir", "run"] + arguments)
    #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty && result.files.isEmpty)
  }
}
