import Testing

@testable import LinearAlgebra

/// The sums over whitened rows against loops that do as the formulas say.
struct WhitenedRowsTests {
  /// Numbers between −1 and 1 without a pattern.
  private func numbers(_ count: Int, _ salt: Int) -> [Float] {
    (0..<count).map { Float(($0 * $0 * 7919 + $0 * 31 + salt) % 1009) / 504.5 - 1 }
  }

  @Test(arguments: [1, 3, 4, 5, 8, 12, 16, 17])
  func productsAndNorms(channels d: Int) {
    check(Double.self, d, tolerance: 1e-13)
    // 77 terms of at most 4, each rounded to 6·10⁻⁸ of itself.
    check(Float.self, d, tolerance: 2e-5)
  }

  private func check<Scalar: WhiteningScalar & BinaryFloatingPoint>(
    _: Scalar.Type, _ d: Int, tolerance: Double
  ) {
    let (tokens, images) = (3, 77)
    let columns = tokens * d
    let values = numbers(images * columns, d)
    let rows = WhitenedRows<Scalar>(capacity: 80, columns: columns)
    rows.set(
      values[...], count: images, sequence: Array(0..<tokens), blockSize: d,
      mean: Array(repeating: 0, count: columns))
    var weights = LeverageWeights<Scalar>(capacity: 80)
    let leverages = (0..<images).map { Double($0) / 200 }
    _ = weights.set(leverages: leverages, count: images)
    let transform = numbers(d * d, 5).enumerated().map { index, value in
      index % d <= index / d ? Scalar(value) : 0
    }
    for token in 0..<tokens {
      var (first, second) = (
        [Double](repeating: 1, count: d * d + 2), [Double](repeating: 2, count: d * d + 2)
      )
      rows.addProducts(
        from: token * d, channels: d, weights: weights, to: &first, and: &second, at: 1)
      #expect(first[0] == 1 && first[d * d + 1] == 1 && second[0] == 2 && second[d * d + 1] == 2)
      func value(_ image: Int, _ c: Int) -> Double {
        Double(values[image * columns + token * d + c])
      }
      for r in 0..<d {
        for c in 0...r {
          var (a, b) = (1.0, 2.0)
          for i in 0..<images {
            let (h, product) = (leverages[i], value(i, r) * value(i, c))
            a += product / ((1 - h) * (1 - h))
            b += product * h / (1 - h)
          }
          #expect(abs(first[1 + r * d + c] - a) < tolerance * Double(images))
          #expect(abs(second[1 + r * d + c] - b) < tolerance * Double(images))
        }
      }
      var norms = [Scalar](repeating: 0, count: images)
      rows.norms(from: token * d, channels: d, transformedBy: transform, into: &norms)
      for i in 0..<images {
        var norm = 0.0
        for r in 0..<d {
          let y = (0...r).reduce(0) { $0 + Double(transform[r * d + $1]) * value(i, $1) }
          norm += y * y
        }
        #expect(abs(Double(norms[i]) - norm) < tolerance * Double(d * d) * max(norm, 1))
      }
    }
  }
}
