import Foundation
import LinearAlgebra
import Testing

@testable import NeuralKernels

/// Seeded numbers from −1 to 1.
private func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
  }
}

/// The definition of a convolution, in double precision; `input(y, x, c)` is zero outside.
private func plainConvolution(
  height: Int, width: Int, inputs: Int, outputs: Int, kernel: Int, stride: Int, before: Int,
  weights: [Float], bias: [Float], input: (Int, Int, Int) -> Double
) -> [Double] {
  var result: [Double] = []
  for y in 0..<height {
    for x in 0..<width {
      for k in 0..<outputs {
        var sum = Double(bias[k])
        for c in 0..<inputs {
          for dy in 0..<kernel {
            for dx in 0..<kernel {
              let weight = weights[((k * inputs + c) * kernel + dy) * kernel + dx]
              sum +=
                Double(weight) * input(y * stride + dy - before, x * stride + dx - before, c)
            }
          }
        }
        result.append(sum)
      }
    }
  }
  return result
}

struct ConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var height = 8
    var width = 8
    var inputs = 16
    var outputs = 16
    var kernel = 3
    var stride = 1
    var upsampling = false
    var activated = false
    var residual = false
    var winograd = true

    var testDescription: String {
      "\(height)x\(width), \(inputs) to \(outputs), \(kernel)x\(kernel)/\(stride)"
        + (upsampling ? ", upsampled" : "") + (activated ? ", activated" : "")
        + (residual ? ", residual" : "") + (winograd ? "" : ", plain")
    }
  }

  static let cases: [Case] =
    [
      Case(), Case(height: 1, width: 1), Case(height: 7, width: 13),
      Case(height: 5, width: 6, inputs: 32, outputs: 3),
      Case(height: 4, width: 9, outputs: 40, activated: true),
      Case(height: 6, width: 5, upsampling: true, activated: true),
      Case(height: 9, width: 6, activated: true, residual: true),
      Case(height: 40, width: 36, residual: true),
      Case(height: 7, width: 6, inputs: 3, outputs: 20),
      Case(height: 3, width: 5, inputs: 5, outputs: 2, upsampling: true),
      Case(height: 8, width: 10, inputs: 6, outputs: 5, stride: 2),
      Case(height: 7, width: 9, inputs: 16, outputs: 33, stride: 2),
      Case(height: 11, width: 10, inputs: 7, outputs: 9, kernel: 1, residual: true),
      Case(height: 1, width: 3, inputs: 4, outputs: 1, kernel: 1),
    ] + [false, true].map { Case(activated: $0, residual: true, winograd: false) }

  @Test(arguments: cases)
  func agreesWithTheDefinition(_ test: Case) throws {
    let pool = FeatureMapPool(workers: 2)
    let input = numbers(test.height * test.width * test.inputs, seed: 1)
    let weights = numbers(
      test.outputs * test.inputs * test.kernel * test.kernel, seed: 2)
    let bias = numbers(test.outputs, seed: 3)
    let activation = ChannelActivation(
      scale: numbers(test.inputs, seed: 4), shift: numbers(test.inputs, seed: 5))
    let factor = test.upsampling ? 2 : 1
    let (inHeight, inWidth) = (test.height * factor, test.width * factor)
    // Of a stride of 2, one row and column of zeros below and to the right.
    let (height, width) =
      test.stride == 1 ? (inHeight, inWidth) : (inHeight / 2, inWidth / 2)
    var expected = plainConvolution(
      height: height, width: width, inputs: test.inputs, outputs: test.outputs,
      kernel: test.kernel, stride: test.stride, before: test.stride == 1 ? test.kernel / 2 : 0,
      weights: weights, bias: bias
    ) { y, x, c in
      guard (0..<inHeight).contains(y), (0..<inWidth).contains(x) else { return 0 }
      let value = Double(input[(y / factor * test.width + x / factor) * test.inputs + c])
      guard test.activated else { return value }
      let scaled = value * Double(activation.scale[c]) + Double(activation.shift[c])
      return scaled / (1 + exp(-scaled))
    }
    let added = numbers(expected.count, seed: 6)
    if test.residual { for i in expected.indices { expected[i] += Double(added[i]) } }

    let convolution = Convolution(
      weights: weights, bias: bias, inputs: test.inputs, outputs: test.outputs,
      kernel: test.kernel, stride: test.stride, allowingWinograd: test.winograd)
    let output = convolution(
      FeatureMap(
        height: test.height, width: test.width, channels: test.inputs, elements: input, pool: pool),
      activation: test.activated ? activation : nil, upsampling: test.upsampling,
      adding: test.residual
        ? FeatureMap(
          height: height, width: width, channels: test.outputs, elements: added, pool: pool) : nil)
    #expect(output.height == height && output.width == width && output.channels == test.outputs)
    let largest = expected.reduce(1) { max($0, abs($1)) }
    let error = zip(output.elements, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
    // Single precision, 24 bits, through transforms whose largest factor is 8² · 5².
    #expect(error < 1e-5 * largest, "\(error) of \(largest)")
  }

  @Test func swishIsExactToSinglePrecision() {
    // A 1×1 filter in a 3×3 kernel hands the activated input through.
    let values = stride(from: Float(-120), through: 120, by: 0.25).map { $0 } + [1e-30, -1e-30]
    var weights = [Float](repeating: 0, count: 16 * 16 * 9)
    for c in 0..<16 { weights[(c * 16 + c) * 9 + 4] = 1 }
    let pool = FeatureMapPool(workers: 1)
    let convolution = Convolution(
      weights: weights, bias: [Float](repeating: 0, count: 16), inputs: 16, outputs: 16, kernel: 3)
    let one = ChannelActivation(
      scale: [Float](repeating: 1, count: 16), shift: [Float](repeating: 0, count: 16))
    for value in values {
      let map = FeatureMap(
        height: 1, width: 1, channels: 16, elements: [Float](repeating: value, count: 16),
        pool: pool)
      let exact = Double(value) / (1 + exp(-Double(value)))
      for output in convolution(map, activation: one).elements {
        #expect(abs(Double(output) - exact) <= 1e-6 * abs(exact) + 1e-35, "\(value)")
      }
    }
  }

  @Test(arguments: [(9, 32, Float(0)), (130, 64, 0), (700, 64, 1000), (1, 32, 2)])
  func groupsAreNormalized(pixels: Int, channels: Int, offset: Float) {
    let pool = FeatureMapPool(workers: 2)
    let input = numbers(pixels * channels, seed: 7).map { $0 + offset }
    let (weight, bias) = (numbers(channels, seed: 8), numbers(channels, seed: 9))
    let map = FeatureMap(
      height: 1, width: pixels, channels: channels, elements: input, pool: pool)
    let output = GroupNormalization(weight: weight, bias: bias)(map).elements
    let width = channels / 32
    for group in 0..<32 {
      let members = (0..<pixels).flatMap { p in
        (group * width..<(group + 1) * width).map { p * channels + $0 }
      }
      let mean = members.reduce(0.0) { $0 + Double(input[$1]) } / Double(members.count)
      let variance =
        members.reduce(0.0) { $0 + (Double(input[$1]) - mean) * (Double(input[$1]) - mean) }
        / Double(members.count)
      for place in members {
        let c = place % channels
        let exact =
          (Double(input[place]) - mean) / (variance + 1e-6).squareRoot() * Double(weight[c])
          + Double(bias[c])
        // Single precision, 6e-8: the parts of x·scale + shift, and sums of 64 behind them.
        let scale = abs(Double(weight[c])) / (variance + 1e-6).squareRoot()
        let parts = (abs(Double(input[place])) + abs(mean)) * scale + abs(Double(bias[c]))
        #expect(abs(Double(output[place]) - exact) < 1e-6 * parts + 1e-7)
      }
    }
  }

  @Test func softmaxOfRows() {
    var matrix = FloatMatrix(rows: 3, columns: 5, elements: numbers(15, seed: 1).map { $0 * 50 })
    let before = matrix
    matrix.softmaxRows()
    for row in 0..<3 {
      let largest = (0..<5).map { Double(before[row, $0]) }.max() ?? 0
      let exponentials = (0..<5).map { exp(Double(before[row, $0]) - largest) }
      let sum = exponentials.reduce(0, +)
      for column in 0..<5 {
        #expect(abs(Double(matrix[row, column]) - exponentials[column] / sum) < 1e-6)
      }
    }
  }
}
