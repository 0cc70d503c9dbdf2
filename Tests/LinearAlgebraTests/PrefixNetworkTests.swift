import LinearAlgebra
import Testing

private struct Numbers {
  var state: UInt64
  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
  }
}

private func network(everyPrefix: Bool, seed: UInt64 = 1) -> PrefixNetwork {
  var numbers = Numbers(state: seed)
  let count = PrefixNetwork.parameterCount(blocks: 5, blockSize: 2, hidden: 7)
  return PrefixNetwork(
    blockSize: 2, hidden: 7, groups: [0..<1, 1..<4, 4..<5], readsEveryPrefix: everyPrefix,
    parameters: (0..<count).map { _ in 0.7 * numbers.next() })
}

private func batch(_ count: Int) -> SingleMatrix {
  var numbers = Numbers(state: 99)
  return SingleMatrix(
    rows: count, columns: 10, elements: (0..<count * 10).map { _ in 2 * numbers.next() })
}

/// The slow, obvious way: the hidden layer of one prefix, and one readout of it.
private func prediction(
  _ network: PrefixNetwork, _ row: ArraySlice<Float>, prefix: Int, block: Int, second: Bool
) -> [Float] {
  let (n, d, h, p) = (5, 2, 7, network.parameters)
  let x = Array(row)
  let hidden = (0..<h).map { u in
    var sum = p[u]
    for t in 0..<prefix {
      sum += p[h + t * h + u]
      for c in 0..<d { sum += p[h + n * h + (t * d + c) * h + u] * x[t * d + c] }
    }
    return max(sum, 0)
  }
  let size = n * d * h
  let readout = h + n * h + size + (second ? size + n * d : 0)
  return (0..<d).map { c in
    (0..<h).reduce(p[readout + size + block * d + c]) {
      $0 + hidden[$1] * p[readout + (block * d + c) * h + $1]
    }
  }
}

@Test(arguments: [true, false])
func residualsAreThoseOfEveryPrefixByItself(everyPrefix: Bool) {
  let (network, rows) = (network(everyPrefix: everyPrefix), batch(6))
  let (first, second) = network.residuals(ofRows: rows)
  for i in 0..<6 {
    let row = rows.elements[i * 10..<(i + 1) * 10]
    for group in network.groups {
      for t in group {
        let isFirst = t == group.lowerBound
        let own = prediction(network, row, prefix: t, block: t, second: false)
        let early = prediction(
          network, row, prefix: group.lowerBound, block: t, second: !isFirst)
        for c in 0..<2 {
          let x = rows[i, t * 2 + c]
          if everyPrefix || isFirst {
            #expect(abs(first[i, t * 2 + c] - (own[c] - x)) < 1e-4)
          } else {
            #expect(first[i, t * 2 + c] == 0)
          }
          #expect(abs(second[i, t * 2 + c] - (early[c] - x)) < 1e-4)
        }
      }
    }
  }
}

/// Central differences of the loss, parameter by parameter. The loss is summed in double precision from residuals that are
/// rounded to about 1e-6; over a step of 4e-3 that is 5e-4 of a derivative, and kinks of the ReLU that lie within a step
/// are left out by asking for 97% of the parameters.
@Test(arguments: [true, false])
func gradientsMatchFiniteDifferences(everyPrefix: Bool) {
  var network = network(everyPrefix: everyPrefix)
  let rows = batch(8)
  let weights = (0..<20).map { 0.5 + Float($0 % 7) * 0.25 }
  func loss() -> Double {
    let (first, second) = network.residuals(ofRows: rows)
    var sum = 0.0
    for i in 0..<8 {
      for group in network.groups {
        for t in group {
          for c in t * 2..<t * 2 + 2 {
            sum += Double(weights[c]) * Double(first[i, c]) * Double(first[i, c])
            guard t > group.lowerBound else { continue }
            sum += Double(weights[10 + c]) * Double(second[i, c]) * Double(second[i, c])
          }
        }
      }
    }
    return sum / 16
  }
  if !everyPrefix {
    // Residuals that are not read are 0 and have no part in the loss.
    #expect(network.residuals(ofRows: rows).first[0, 5] == 0)
  }
  let gradient = network.gradient(ofRows: rows, weights: weights)
  let step: Float = 2e-3
  var wrong = 0
  for index in network.parameters.indices {
    let value = network.parameters[index]
    network.parameters[index] = value + step
    let above = loss()
    network.parameters[index] = value - step
    let below = loss()
    network.parameters[index] = value
    let slope = (above - below) / Double(2 * step)
    if abs(slope - Double(gradient[index])) > 2e-3 * max(1, abs(slope)) { wrong += 1 }
  }
  #expect(
    Double(wrong) < 0.03 * Double(network.parameters.count),
    "\(wrong) of \(network.parameters.count)")
  #expect(gradient.contains { $0 != 0 })
}

/// The first step of AdamW is the rate times the sign of the gradient, and decay shrinks what has no gradient; a quadratic
/// is brought to its minimum.
@Test func adamWStepsAndConverges() {
  var parameters: [Float] = [1, -2, 3]
  var optimizer = AdamW(parameterCount: 3, weightDecay: 0.1)
  optimizer.step(&parameters, gradient: [4, -0.5, 0], rate: 0.01)
  for (a, b) in zip(parameters, [0.999 - 0.01, -1.998 + 0.01, 2.997] as [Float]) {
    #expect(abs(a - b) < 1e-5)
  }
  var place: [Float] = [5]
  var descent = AdamW(parameterCount: 1, weightDecay: 0)
  for _ in 0..<2000 { descent.step(&place, gradient: [place[0] - 2], rate: 0.02) }
  #expect(abs(place[0] - 2) < 1e-2)
}
