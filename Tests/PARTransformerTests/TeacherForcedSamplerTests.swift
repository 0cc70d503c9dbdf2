import NeuralKernels
import Testing
import TokenGrids

@testable import PARTransformer

private func indexOfLargest(_ values: some Collection<Float>) -> Int {
  var best = (place: 0, value: -Float.infinity)
  for (place, value) in values.enumerated() where value > best.value { best = (place, value) }
  return best.place
}

@Suite struct TeacherForcedSamplerTests {
  private let golden: AnyOrderGolden
  private let codes: [[Int]]
  private let labels: [Int]

  init() throws {
    golden = try AnyOrderGolden(steps: 12)
    codes = try golden.codes
    labels = try golden.labels
  }

  private func draw(_ options: SamplingOptions, _ steps: Set<Int>) throws
    -> [TeacherForcedSampler.Step]
  {
    try TeacherForcedSampler(
      weights: golden.weights, order: golden.orders[0], options: options, team: GoldenSet.team
    ).draw(codes: codes, labels: labels, steps: steps)
  }

  private func logits(_ codes: [[Int]], _ order: GenerationOrder) throws -> [[Float]] {
    try AnyOrderTransformer.teacherForcedLogits(
      weights: golden.weights, codes: codes, labels: labels,
      orders: codes.map { _ in order }, team: GoldenSet.team)
  }

  /// Greedily, the parallel draw of a step is the most probable code of every token given the real steps before.
  @Test func stepsAreDrawnGivenTheRealOnesBefore() throws {
    let order = golden.orders[0]
    let all = try logits(codes, order)
    let steps = try draw(
      SamplingOptions(isGreedy: true, batchSize: 3), Set(order.steps.indices))
    #expect(steps.map(\.step) == Array(order.steps.indices))
    let k = all[0].count / order.sequence.count
    for image in codes.indices {
      var place = 0
      for step in steps {
        for code in step.parallel[image] {
          #expect(code == indexOfLargest(all[image][place * k..<(place + 1) * k]))
          place += 1
        }
      }
      #expect(place == order.sequence.count)
    }
  }

  /// One by one, each token of a step is the most probable given the real steps before and those of the step drawn before it.
  @Test func tokensOfAStepSeeThoseDrawnBefore() throws {
    let order = golden.orders[0]
    let wanted = try #require(order.steps.indices.last { order.steps[$0].count > 2 })
    let drawn = try draw(SamplingOptions(isGreedy: true, batchSize: 4), [wanted])
    #expect(drawn.count == 1)
    let split = try GenerationOrder(
      name: "split", grid: order.grid,
      steps: order.steps[..<wanted] + order.steps[wanted].map { [$0] }
        + order.steps[(wanted + 1)...])
    // The drawn tokens in the place of the real ones: each follows from those before it.
    let replaced = codes.enumerated().map { image, real in
      var own = real
      for (cell, code) in zip(order.steps[wanted], drawn[0].oneByOne[image]) { own[cell] = code }
      return own
    }
    let all = try logits(replaced, split)
    let k = all[0].count / order.sequence.count
    let first = order.steps[..<wanted].reduce(0) { $0 + $1.count }
    for image in codes.indices {
      for (offset, code) in drawn[0].oneByOne[image].enumerated() {
        let place = first + offset
        #expect(code == indexOfLargest(all[image][place * k..<(place + 1) * k]))
      }
    }
    #expect(drawn[0].parallel != drawn[0].oneByOne)
  }

  @Test(arguments: [1, 2] as [Float])
  func drawsDependOnNothingButTheirNumber(guidance: Float) throws {
    func steps(batch: Int) throws -> [TeacherForcedSampler.Step] {
      try draw(
        SamplingOptions(
          guidance: guidance, guidanceSchedule: .linear, seed: 4, batchSize: batch), [0, 7, 11])
    }
    let reference = try steps(batch: 1)
    #expect(try steps(batch: 3) == reference && steps(batch: 8) == reference)
    // The first token of a step is the same drawn either way only where nothing else is drawn with it.
    #expect(reference.map(\.step) == [0, 7, 11])
    for step in reference {
      let size = golden.orders[0].steps[step.step].count
      #expect((step.parallel + step.oneByOne).allSatisfy { $0.count == size })
      if size == 1 { #expect(step.parallel == step.oneByOne) }
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let sampler = try TeacherForcedSampler(
      weights: golden.weights, order: golden.orders[0], options: SamplingOptions(),
      team: GoldenSet.team)
    #expect(throws: PARError.wrongCount(of: "labels", found: 1, expected: 4)) {
      try sampler.draw(codes: codes, labels: [0], steps: [1])
    }
    #expect(throws: PARError.self) {
      try sampler.draw(
        codes: [Array(repeating: 1 << 20, count: 64)], labels: [0], steps: [1])
    }
  }
}
