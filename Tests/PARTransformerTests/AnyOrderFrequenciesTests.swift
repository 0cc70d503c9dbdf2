import Foundation
import LinearAlgebra
import NeuralKernels
import Statistics
import Testing
import TokenGrids

@testable import PARTransformer

/// A tiny model with weights so large that its tokens depend on one another.
private func model(on grid: TokenGrid) throws -> AnyOrderWeights {
  let configuration = AnyOrderConfiguration(
    layers: 2, heads: 2, width: 16, codes: 3, classes: 2, grid: grid)
  let parameters = AnyOrderParameters(configuration)
  var generator = SeededGenerator(seed: 21)
  for parameter in configuration.parameters {
    let isNorm = parameter.isScale || parameter.isShift
    parameters[parameter].write(
      (0..<parameters[parameter].count).map { _ in
        Float((parameter.isScale ? 1 : 0) + generator.nextNormal() * (isNorm ? 0.1 : 0.3))
      })
  }
  return try parameters.weights()
}

/// What an image has with this probability under a model, by the logits of its tokens in their sequence.
private func probability(_ image: [Int], _ logits: [Float], in order: GenerationOrder) -> Double {
  order.sequence.enumerated().reduce(1) { product, token in
    let row = logits[3 * token.offset..<3 * token.offset + 3].map { Double($0) }
    return product * exp(row[image[token.element]]) / row.reduce(0) { $0 + exp($1) }
  }
}

/// Pearson's statistic of counts that should have these probabilities, places of fewer than ten expected pooled into one,
/// and what it exceeds with a probability of 10⁻⁷ (Wilson and Hilferty's approximation).
private func statistic(
  _ counts: [Int], _ probabilities: [Double]
) -> (value: Double, limit: Double) {
  let total = Double(counts.reduce(0, +))
  var (value, places) = (0.0, 0)
  var rest = (observed: 0.0, expected: 0.0)
  func add(_ observed: Double, _ expected: Double) {
    value += (observed - expected) * (observed - expected) / expected
    places += 1
  }
  for (count, probability) in zip(counts, probabilities) {
    if total * probability >= 10 {
      add(Double(count), total * probability)
    } else {
      rest = (rest.observed + Double(count), rest.expected + total * probability)
    }
  }
  if rest.expected > 0 { add(rest.observed, rest.expected) }
  let freedom = Double(places - 1)
  let share = 2 / (9 * freedom)
  return (value, freedom * pow(1 - share + 5.2 * share.squareRoot(), 3))
}

/// All four tokens of an image together, drawn in steps of one, two and one token, in two orders that the images of a batch
/// take in turn: their frequencies are the products of the model's own teacher-forced probabilities, and neither those of
/// independent tokens nor, for the two that are drawn together, those of one drawn after the other.
@Test func anyOrderFrequenciesAreTheModelsProbabilities() throws {
  let grid = TokenGrid(rows: 1, columns: 4)
  let weights = try model(on: grid)
  let orders = try [[[2], [0, 3], [1]], [[1], [3, 2], [0]]].map {
    try GenerationOrder(name: "\($0)", grid: grid, steps: $0)
  }
  let perOrder = 12_000
  let drawn = try AnyOrderSampler(
    weights: weights, orders: orders, options: SamplingOptions(seed: 4, batchSize: 200),
    team: GoldenSet.team
  ).generate(labels: Array(repeating: 1, count: 2 * perOrder))
  let images = (0..<81).map { number in [27, 9, 3, 1].map { number / $0 % 3 } }
  func probabilities(_ order: GenerationOrder) throws -> [Double] {
    let logits = try AnyOrderTransformer.teacherForcedLogits(
      weights: weights, codes: images, labels: Array(repeating: 1, count: images.count),
      orders: Array(repeating: order, count: images.count), team: GoldenSet.team)
    return zip(images, logits).map { probability($0, $1, in: order) }
  }
  for (index, order) in orders.enumerated() {
    var counts = [Int](repeating: 0, count: images.count)
    for place in stride(from: index, to: drawn.count, by: 2) {
      counts[drawn[place].reduce(0) { 3 * $0 + $1 }] += 1
    }
    #expect(counts.reduce(0, +) == perOrder)
    let expected = try probabilities(order)
    // Whatever is known, the codes of a token have probabilities that sum to 1.
    #expect(abs(expected.reduce(0, +) - 1) < 1e-5)
    let own = statistic(counts, expected)
    #expect(own.value < own.limit, "\(order.name): \(own)")

    // The same numbers would be far off for what the model does not say.
    let marginals = (0..<4).map { cell in
      (0..<3).map { code in
        zip(images, expected).reduce(0) { $0 + ($1.0[cell] == code ? $1.1 : 0) }
      }
    }
    let independent = statistic(
      counts,
      images.map { image in
        image.enumerated().reduce(1) { $0 * marginals[$1.offset][$1.element] }
      })
    #expect(independent.value > independent.limit, "\(order.name): \(independent)")
    let sequential = try statistic(counts, probabilities(order.sequentialized()))
    #expect(sequential.value > sequential.limit, "\(order.name): \(sequential)")
  }
}
