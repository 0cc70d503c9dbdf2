import GenerationMetrics
import PARTransformer
import Reporting
import Testing
import TokenGrids

@testable import Experiments

@Suite struct AnyOrderReportTests {
  private func order(
    _ name: String, steps: Int, _ measures: [String: (Double, Double)]
  ) -> AnyOrderReport.Order {
    AnyOrderReport.Order(
      name: name, family: orderFamily(of: name), steps: steps, tokensPerStep: 4,
      measures: measures.mapValues { AnyOrderReport.Measure($0.0, error: $0.1) }, seeds: [])
  }

  @Test func familiesAreOrdersButForTheirSteps() {
    for (name, family) in [
      ("halton", "halton"), ("halton+one", "halton"), ("halton:n=16", "halton"),
      ("halton:schedule=optimal,steps=12", "halton:schedule=optimal"),
      ("distant:n=16,steps=12", "distant:n=16"), ("distant:initial=0", "distant:initial=0"),
      ("searched:steps=12", "searched"), ("./a.json", "./a.json"),
    ] {
      #expect(orderFamily(of: name) == family, "\(name)")
    }
  }

  /// Losses of 0, 1, 2, … nats, of which a distance shows a hundredth, with an error of 0.03.
  @Test func correlationsAndWhatNoiseAmountsTo() throws {
    let orders = (0..<24).map { index in
      order(
        "order \(index)", steps: 24 - index,
        [
          "total_increase": (Double(index), 0.1), "information_lost": (Double(index) / 2, 0.1),
          "excess_fd_infinity_texture": (Double(index) / 100, 0.03),
        ])
    }
    let least = try #require(
      AnyOrderReport.noiseEquivalent(
        orders, of: "total_increase", in: "excess_fd_infinity_texture"))
    // Two errors over the slope.
    #expect(abs(least - 6) < 1e-12)
    let found = AnyOrderReport.correlations(orders, resamples: 200)
    let first = try #require(found.first)
    #expect(first.of == "total_increase" && first.with == "information_lost" && first.cases == 24)
    #expect(first.spearman.value.value == 1)
    // Steps fall as losses rise: nothing is left that they do not tell.
    #expect(first.partialSpearman.value.value == nil)
    let some = try #require(
      found.first { $0.of == "total_increase" && $0.least.value != nil })
    #expect(some.cases == 18 && some.with == "excess_fd_infinity_texture")
    // A distance that does not grow has no noise in nats.
    let flat = (0..<24).map {
      order("order \($0)", steps: 4, ["a": (Double($0), 0), "b": (-1.0, 0.1)])
    }
    #expect(AnyOrderReport.noiseEquivalent(flat, of: "a", in: "b") == nil)
  }

  @Test func equalQualityIsTheFewestStepsThatLoseNoMore() throws {
    let optimal = [(8, 6.0), (12, 2.5), (16, 1.2), (24, 0.4)].map { steps, loss in
      order(
        "halton:schedule=optimal,steps=\(steps)", steps: steps, ["total_increase": (loss, 0.1)])
    }
    let orders =
      [
        order("distant", steps: 39, ["total_increase": (1.3, 0.1)]),
        order("distant:n=16", steps: 24, ["total_increase": (0.1, 0.1)]),
        order("distant:n=16,steps=16", steps: 16, ["total_increase": (9, 0.2)]),
      ] + optimal
    let found = AnyOrderReport.equalQuality(orders)
    #expect(found.count == 2)
    #expect(found[0].order == "distant" && found[0].orderSteps == 39 && found[0].steps == 16)
    #expect(found[0].value.value == 1.2)
    #expect(found[0].sameSteps.map(\.order) == ["distant:n=16,steps=16"])
    #expect(
      found[0].sentence
        == "total_increase of distant in 39 steps, 1.30 ± 0.10: halton:schedule=optimal has it in 16, 1.20 ± 0.10; in as many steps distant:n=16,steps=16 9.00 ± 0.20"
    )
    #expect(found[1].steps == nil && found[1].sentence.hasSuffix("in none of its numbers of steps"))
  }

  @Test func errorsAreOfSamplesOrOfModels() {
    let models = [(1.0, 0.1), (3.0, 0.1)].map { value, error in
      var one = ComparisonMeasurement()
      one.set("kid_texture", value, error: error)
      one.set("fd_texture", 2, error: 0.6)
      one.set("information_lost", 5, error: 0.2)
      return one
    }
    let means = AnyOrderReport.means(models)
    // Two models 2 apart: a deviation of √2, of the mean 1.
    #expect(means["kid_texture"]?.value.value == 2)
    #expect(abs((means["kid_texture"]?.standardError.value ?? 0) - 1) < 1e-12)
    // Equal values: what the samples say, over √2.
    #expect(abs((means["fd_texture"]?.standardError.value ?? 0) - 0.6 / 2.0.squareRoot()) < 1e-12)
    // Of the same images: no smaller for two models.
    #expect(abs((means["information_lost"]?.standardError.value ?? 0) - 0.2) < 1e-12)
  }

  @Test func excessIsOverTheSameSequenceOneByOne() throws {
    let grid = TokenGrid(rows: 4, columns: 4)
    let raster = try OrderSpecification("raster").order(on: grid)
    let single = raster.sequentialized()
    func measurement(_ value: Double) -> ComparisonMeasurement {
      var one = ComparisonMeasurement()
      one.set("fd_infinity_texture", value, error: 0.3)
      one.set("precision_3_texture", value)
      return one
    }
    let model = AnyOrderReport.Model(
      seed: 0, folder: "", trained: .init(finished: true, validationLoss: nil, seconds: 1),
      measurements: [raster.steps: measurement(5), single.steps: measurement(3.5)],
      likelihoods: [
        raster.steps: OrderLikelihood(
          lost: 2, lostError: 0.5, parallel: 32, parallelError: 1.6, sequential: 30)
      ], forced: [:])
    let found = model.measures(raster)
    #expect(found.values["excess_fd_infinity_texture"] == 1.5)
    #expect(abs((found.errors["excess_fd_infinity_texture"] ?? 0) - 0.18.squareRoot()) < 1e-12)
    #expect(found.values["excess_precision_3_texture"] == nil)
    #expect(
      found.values["negative_log_likelihood"] == 2 && found.values["information_lost"] == 2)
    #expect(model.measures(single).values["excess_fd_infinity_texture"] == 0)
  }

  /// Every sequence that is compared is trained on once, and random ones beside them.
  @Test func modelsAreTrainedOnEverythingThatIsCompared() throws {
    let grid = TokenGrid(rows: 12, columns: 12)
    let orders = try ["raster", "raster:n=16", "halton", "raster:steps=1"].map {
      try OrderSpecification($0).order(on: grid)
    }
    let mixture = OrderMixture(comparing: orders)
    #expect(mixture.entries.map(\.name) == ["random", "raster", "halton"])
    #expect(mixture.entries[0].sequences.isEmpty && mixture.entries[1].share == 0.35)
    try mixture.validate(on: grid)
  }
}
