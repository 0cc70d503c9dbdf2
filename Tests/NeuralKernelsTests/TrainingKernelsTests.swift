import Foundation
import LinearAlgebra
import Statistics
import Testing
import TokenGrids

@testable import NeuralKernels

/// Numbers from −1 to 1.
private func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.nextUniform() * 2 - 1) }
}

private func view(_ values: [Float]) -> FloatView { FloatView(FloatBuffer(values)) }
private func zeros(_ count: Int) -> FloatView { FloatView(FloatBuffer(count: count)) }

/// The largest difference from values in double precision.
private func difference(_ found: [Float], _ expected: [Double]) -> Double {
  precondition(found.count == expected.count, "lists of the same length")
  return zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
}

/// Single precision of sums of at most some hundred products of numbers of size one.
private let tolerance = 2e-5

private let dropout = TrainingKernels.Dropout(probability: 0.3, key: 0x1234_5678_9abc, first: 5)

/// What is kept, from the loop over embeddings: ones go through as 0 or 1/0.7.
private func mask(_ count: Int, _ dropout: TrainingKernels.Dropout) -> [Double] {
  let out = zeros(count)
  TrainingKernels.embed(
    view(Array(repeating: 1, count: count)), sources: [0], width: count, dropout: dropout,
    into: out)
  return out.values.map { Double($0) }
}

@Test(arguments: [1, 7, 16, 24, 53])
func residualNormsEqualTheirFormula(width: Int) {
  let rows = 5
  let (x, y, dn) = (
    numbers(rows * width, seed: 1), numbers(rows * width, seed: 2), numbers(rows * width, seed: 3)
  )
  let (weight, before) = (numbers(width, seed: 4), numbers(rows * width, seed: 5))
  let kept = mask(rows * width, dropout)
  let (sum, normed, scales) = (zeros(rows * width), zeros(rows * width), zeros(rows))
  TrainingKernels.residualNorm(
    view(x), adding: view(y), rows: rows, dropout: dropout, weight: view(weight), epsilon: 1e-5,
    sum: sum, normed: normed, scales: scales)
  let (dsum, dweight, dy) = (view(before), view(weight), zeros(rows * width))
  TrainingKernels.residualNormBackward(
    sum: sum, scales: scales, weight: view(weight), dnormed: view(dn), rows: rows,
    dropout: dropout, accumulates: true, dsum: dsum, dweight: dweight, dy: dy)

  var (sums, norms, dsums, dys) = ([Double](), [Double](), [Double](), [Double]())
  var dweights = weight.map { Double($0) }
  for r in 0..<rows {
    let range = r * width..<(r + 1) * width
    let s = range.map { Double(x[$0]) + kept[$0] * Double(y[$0]) }
    let scale = 1 / (s.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
    let g = range.map { Double(dn[$0]) * Double(weight[$0 - r * width]) }
    let mean = zip(g, s).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
    sums += s
    for i in 0..<width {
      norms.append(s[i] * scale * Double(weight[i]))
      dweights[i] += Double(dn[r * width + i]) * s[i] * scale
      let d =
        Double(before[r * width + i]) + scale * (g[i] - s[i] * scale * scale * mean)
      dsums.append(d)
      dys.append(d * kept[r * width + i])
    }
  }
  #expect(difference(sum.values, sums) <= tolerance)
  #expect(difference(normed.values, norms) <= tolerance)
  #expect(difference(dsum.values, dsums) <= 10 * tolerance)
  #expect(difference(dy.values, dys) <= 10 * tolerance)
  #expect(difference(dweight.values, dweights) <= tolerance)
}

/// The mask is a function of key and number: not of how rows are divided, and another for another key. A hundred thousand
/// draws of probability 0.3 are within 0.3 ± 0.0075 but once in 10⁶ times.
@Test func dropoutKeepsTheRightShare() {
  let count = 100_000
  let whole = mask(count, dropout)
  #expect(Set(whole).count == 2 && whole.contains(0))
  #expect(abs((whole.max() ?? 0) - 1 / 0.7) < 1e-6)
  let dropped = Double(whole.filter { $0 == 0 }.count) / Double(count)
  #expect(abs(dropped - 0.3) < 0.0075)
  let later = TrainingKernels.Dropout(probability: 0.3, key: 0x1234_5678_9abc, first: 5 + 1003)
  #expect(mask(500, later) == Array(whole[1003..<1503]))
  for key in [0x1234_5678_9abd, 0x1235_5678_9abc] as [UInt64] {
    let other = mask(count, TrainingKernels.Dropout(probability: 0.3, key: key, first: 5))
    // Independent masks agree in 0.58 of the places.
    let equal = Double(zip(whole, other).filter { $0 == $1 }.count) / Double(count)
    #expect(abs(equal - 0.58) < 0.01)
  }
  #expect(mask(100, .none) == Array(repeating: 1, count: 100))
}

@Test func embeddingsAreGatheredAndTheirGradientsAddedUp() {
  let table = numbers(40, seed: 1)
  let sources: [Int64] = [30, 3, 30]
  let out = zeros(30)
  TrainingKernels.embed(view(table), sources: sources, width: 10, dropout: dropout, into: out)
  let kept = mask(30, dropout)
  #expect(
    difference(
      out.values, (0..<30).map { kept[$0] * Double(table[Int(sources[$0 / 10]) + $0 % 10]) })
      <= tolerance)
  let (dx, gradient) = (numbers(30, seed: 2), view(table))
  TrainingKernels.embedBackward(
    view(dx), sources: sources, width: 10, dropout: dropout, addingTo: gradient)
  var expected = table.map { Double($0) }
  for i in 0..<30 { expected[Int(sources[i / 10]) + i % 10] += kept[i] * Double(dx[i]) }
  #expect(difference(gradient.values, expected) <= tolerance)
}

@Test(arguments: [1, 16, 37])
func gatesEqualTheirFormula(width: Int) {
  let rows = 3
  let (hidden, d) = (
    numbers(2 * rows * width, seed: 1).map { 6 * $0 }, numbers(rows * width, seed: 2)
  )
  let gated = zeros(rows * width)
  TrainingKernels.gate(view(hidden), rows: rows, width: width, into: gated)
  let (dhidden, again) = (view(hidden), view(d))
  TrainingKernels.gateBackward(dhidden, rows: rows, width: width, gated: again)
  var (values, gradients) = ([Double](), [Double](repeating: 0, count: hidden.count))
  for i in 0..<rows * width {
    let place = 2 * (i / width) * width + i % width
    let (a, b) = (Double(hidden[place]), Double(hidden[place + width]))
    let sigmoid = 1 / (1 + exp(-a))
    values.append(a * sigmoid * b)
    gradients[place] = Double(d[i]) * b * sigmoid * (1 + a * (1 - sigmoid))
    gradients[place + width] = Double(d[i]) * a * sigmoid
  }
  #expect(difference(gated.values, values) <= tolerance)
  #expect(difference(again.values, values) <= tolerance)
  #expect(difference(dhidden.values, gradients) <= tolerance)
}

@Test func crossEntropyEqualsItsFormula() {
  let (rows, codes) = (4, 37)
  let logits = numbers(rows * codes, seed: 1).map { 20 * $0 }
  let targets: [Int32] = [0, 36, 5, 20]
  let (found, losses) = (view(logits), zeros(rows))
  TrainingKernels.crossEntropy(
    found, targets: targets[...], codes: codes, weight: 0, losses: losses)
  #expect(found.values == logits)
  let before = losses.values
  TrainingKernels.crossEntropy(
    found, targets: targets[...], codes: codes, weight: 0.5, losses: losses)
  #expect(losses.values == before)
  var (expected, gradients) = ([Double](), [Double]())
  for r in 0..<rows {
    let row = logits[r * codes..<(r + 1) * codes].map { Double($0) }
    let sum = row.reduce(0) { $0 + exp($1) }
    expected.append(log(sum) - row[Int(targets[r])])
    gradients += row.enumerated().map { 0.5 * (exp($1) / sum - ($0 == Int(targets[r]) ? 1 : 0)) }
  }
  #expect(difference(before, expected) <= tolerance)
  #expect(difference(found.values, gradients) <= tolerance)
}

/// Attention of one sequence in double precision, as it is defined, and its gradient by the chain rule over whole tables.
private struct PlainAttention {
  let heads, width: Int
  let visible: [Int]
  let cosines, sines: [Float]

  private var positions: Int { visible.count }

  private func turned(_ x: [Double], position: Int, _ direction: Double) -> [Double] {
    (0..<x.count).map { i in
      let pair = position * x.count / 2 + i / 2
      let (c, s) = (Double(cosines[pair]), direction * Double(sines[pair]))
      return i % 2 == 0 ? x[i] * c - x[i + 1] * s : x[i] * c + x[i - 1] * s
    }
  }

  /// The result, and the gradient of `qkv` where that of the result is `dout`.
  func run(_ qkv: [Float], dout: [Float]) -> (out: [Double], dqkv: [Double]) {
    let model = heads * width
    var out = [Double](repeating: 0, count: positions * model)
    var dqkv = [Double](repeating: 0, count: positions * 3 * model)
    for head in 0..<heads {
      func part(_ index: Int, _ position: Int) -> [Double] {
        let start = position * 3 * model + index * model + head * width
        return qkv[start..<start + width].map { Double($0) }
      }
      let q = (0..<positions).map { turned(part(0, $0), position: $0, 1) }
      let k = (0..<positions).map { turned(part(1, $0), position: $0, 1) }
      let v = (0..<positions).map { part(2, $0) }
      var (dq, dk, dv) = (q, k, v)
      for i in 0..<positions { (dq[i], dk[i], dv[i]) = (zero, zero, zero) }
      for i in 0..<positions {
        let seen = 0..<visible[i]
        let scores = seen.map { j in dot(q[i], k[j]) / Double(width).squareRoot() }
        let sum = scores.reduce(0) { $0 + exp($1) }
        let weights = scores.map { exp($0) / sum }
        let start = i * model + head * width
        let g = dout[start..<start + width].map { Double($0) }
        for j in seen {
          for c in 0..<width { out[start + c] += weights[j] * v[j][c] }
        }
        let dweights = seen.map { dot(g, v[$0]) }
        let common = dot(weights, dweights)
        for j in seen {
          let d = weights[j] * (dweights[j] - common) / Double(width).squareRoot()
          for c in 0..<width {
            dq[i][c] += d * k[j][c]
            dk[j][c] += d * q[i][c]
            dv[j][c] += weights[j] * g[c]
          }
        }
      }
      for i in 0..<positions {
        let start = i * 3 * model + head * width
        let parts = [turned(dq[i], position: i, -1), turned(dk[i], position: i, -1), dv[i]]
        for (index, values) in parts.enumerated() {
          for c in 0..<width { dqkv[start + index * model + c] = values[c] }
        }
      }
    }
    return (out, dqkv)
  }

  private var zero: [Double] { Array(repeating: 0, count: width) }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

/// Groups of 1, 5 and 70 positions that see each other, so that blocks of rows end within groups and groups within blocks.
@Test(arguments: [1, 5, 70], [4, 12])
func attentionEqualsItsDefinition(group: Int, headWidth: Int) {
  let (positions, heads, images) = (90, 2, 2)
  let width = heads * headWidth
  let visible = (0..<positions).map { min(positions, ($0 / group + 1) * group) }
  // Some positions vanish, as class and transition tokens do.
  let angles = numbers(positions * headWidth / 2, seed: 9)
  let cosines = angles.enumerated().map { $0 / (headWidth / 2) % 7 == 0 ? 0 : cos(3 * $1) }
  let sines = angles.enumerated().map { $0 / (headWidth / 2) % 7 == 0 ? 0 : sin(3 * $1) }
  let qkv = numbers(images * positions * 3 * width, seed: 1).map { 2 * $0 }
  let dout = numbers(images * positions * width, seed: 2)
  let attention = TrainingAttention(
    heads: heads, headWidth: headWidth, visible: visible,
    rotation: .init(cosines: cosines, sines: sines, pairs: headWidth / 2))
  let (rotated, out, dqkv) = (view(qkv), zeros(dout.count), zeros(qkv.count))
  let (logs, scratch) = (zeros(images * attention.logCount), zeros(attention.scratchCount))
  attention.forward(qkv: rotated, images: images, logs: logs, scratch: scratch, into: out)
  attention.backward(
    qkv: rotated, images: images, logs: logs, out: out, dout: view(dout), scratch: scratch,
    into: dqkv)
  let plain = PlainAttention(
    heads: heads, width: headWidth, visible: visible, cosines: cosines, sines: sines)
  for image in 0..<images {
    let (a, b) = (positions * 3 * width, positions * width)
    let expected = plain.run(
      Array(qkv[image * a..<(image + 1) * a]), dout: Array(dout[image * b..<(image + 1) * b]))
    #expect(
      difference(Array(out.values[image * b..<(image + 1) * b]), expected.out) <= tolerance)
    #expect(
      difference(Array(dqkv.values[image * a..<(image + 1) * a]), expected.dqkv) <= 10 * tolerance)
  }
}

/// The same steps as ``AdamW`` makes, with two gradients that are added and clipped on the way.
@Test func bufferedAdamWEqualsAdamW() {
  let count = 40_000
  let parameters = FloatBuffer(numbers(count, seed: 1))
  var expected = parameters[0..<count]
  var plain = AdamW(parameterCount: count, weightDecay: 0.1)
  for workers in [1, 3] {
    let team = WorkerTeam(workers: workers)
    let one = BufferedAdamW(parameterCount: count, beta1: 0.9, beta2: 0.999)
    let memory = FloatBuffer(parameters[0..<count])
    expected = parameters[0..<count]
    plain = AdamW(parameterCount: count, weightDecay: 0.1)
    for step in 0..<4 {
      let (a, b) = (
        numbers(count, seed: UInt64(10 + step)), numbers(count, seed: UInt64(20 + step))
      )
      let gradients = [FloatBuffer(a), FloatBuffer(b)]
      let norm = one.collect(gradients, team: team)
      let sums = zip(a, b).map { Double($0) + Double($1) }
      #expect(abs(norm - sums.reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-4 * norm)
      #expect(gradients[1][0..<count].allSatisfy { $0 == 0 })
      one.step(
        memory, gradient: gradients[0], gradientScale: 0.25, rate: 0.01,
        decays: [(0..<30_001, 0.1), (30_001..<count, 0.1)], team: team)
      #expect(gradients[0][0..<count].allSatisfy { $0 == 0 })
      plain.step(&expected, gradient: zip(a, b).map { ($0 + $1) * 0.25 }, rate: 0.01)
    }
    #expect(difference(memory[0..<count], expected.map { Double($0) }) <= 1e-6)
  }
}

/// The exact GELU and its derivative beside the C library's error function; 1.5·10⁻⁷ is the formula's own error.
@Test(arguments: [1, 7, 16, 37])
func geluIsThatOfTheErrorFunction(width: Int) {
  let x = (0..<3 * width).map { Float($0 - width) * 0.31 - 0.07 }
  let out = FloatView(FloatBuffer(count: x.count))
  TrainingKernels.gelu(FloatView(FloatBuffer(x)), rows: 3, width: width, into: out)
  let gradient = FloatView(FloatBuffer(Array(repeating: 1, count: x.count)))
  TrainingKernels.geluBackward(
    FloatView(FloatBuffer(x)), rows: 3, width: width, gradient: gradient)
  for (i, value) in x.enumerated() {
    let v = Double(value)
    let share = 0.5 * erfc(-v / 2.0.squareRoot())
    #expect(abs(Double(out.values[i]) - v * share) < 1e-6)
    let slope = share + v * exp(-v * v / 2) / (2 * Double.pi).squareRoot()
    #expect(abs(Double(gradient.values[i]) - slope) < 1e-6)
  }
}
