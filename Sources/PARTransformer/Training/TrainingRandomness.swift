import Foundation
import LinearAlgebra
import Statistics
import TokenGrids

/// Everything random of a training run as a function of its seed and the step, so that a run can go on from any step as
/// if it had never stopped.
struct TrainingRandomness: Sendable {
  let seed: UInt64

  private enum Purpose: UInt64 {
    case weights = 1
    case split, shuffle, labels, dropout, orders, heldOutOrders
  }

  private func generator(_ purpose: Purpose, _ number: Int, _ part: Int = 0) -> SeededGenerator {
    SeededGenerator(
      seed: seed, stream: purpose.rawValue << 56 | UInt64(number) << 16 | UInt64(part))
  }

  /// Fills in initial weights: matrices and embeddings from N(0, 0.02²), norms 1, biases and the output head 0.
  func initialize<Configuration>(_ parameters: ModelParameters<Configuration>) {
    for (index, parameter) in parameters.configuration.parameters.enumerated() {
      let view = parameters[parameter]
      if parameter == .output || parameter.isShift {
        view.write(Array(repeating: 0, count: view.count))
      } else if parameter.isScale {
        view.write(Array(repeating: 1, count: view.count))
      } else {
        view.write(normals(view.count, generator(.weights, index)))
      }
    }
  }

  /// What draws the order of the image at a place of a step's batch, or of an image held out.
  func orderGenerator(step: Int?, place: Int) -> SeededGenerator {
    generator(step == nil ? .heldOutOrders : .orders, step ?? 0, place)
  }

  /// Normal draws of standard deviation 0.02 (Box and Muller).
  private func normals(_ count: Int, _ generator: SeededGenerator) -> [Float] {
    var generator = generator
    var values: [Float] = []
    values.reserveCapacity(count + 1)
    while values.count < count {
      let (first, second) = generator.nextNormalPair(deviation: 0.02)
      values.append(Float(first))
      values.append(Float(second))
    }
    return Array(values.prefix(count))
  }

  /// Divides images at random into those held out and those trained on, both in the order of the data.
  ///
  /// - Parameter groups: images of one group stay together: crops of one photograph are no independent test.
  func split(
    imageCount: Int, heldOut count: Int, groups: [UInt32]?
  ) -> (training: [Int], heldOut: [Int]) {
    var generator = generator(.split, 0)
    let (heldOut, training) = Photographs(groups, imageCount: imageCount)
      .split(drawing: count, &generator)
    return (training, heldOut)
  }

  /// The order in which an epoch visits `count` images.
  func permutation(epoch: Int, count: Int) -> [Int] {
    var generator = generator(.shuffle, epoch)
    var order = Array(0..<count)
    generator.shuffle(&order)
    return order
  }

  /// Which images of a step's batch lose their label.
  func droppedLabels(step: Int, count: Int, probability: Float) -> [Bool] {
    var generator = generator(.labels, step)
    return (0..<count).map { _ in generator.nextUniform() < Double(probability) }
  }

  /// The key of the dropout masks of one step in one place of the network.
  func dropoutKey(step: Int, place: Int) -> UInt64 {
    var generator = generator(.dropout, step, place)
    return generator.next()
  }
}
