import Foundation
import LinearAlgebra
import TokenData

/// Features whose every coordinate has been replaced by the normal quantile of its rank among the images: the Gaussian copula
/// of the data, as in gcmi (Ince et al., 2017). Mutual informations and increases do not depend on marginals, so this asks
/// less of the data than a Gaussian law; entropies are then those of standard normal marginals.
///
/// Equal values share their mean rank r, counted from 1, and become Φ⁻¹(r/(m + 1)).
///
/// - Returns: m × n × d, row-major.
/// - Throws: What reading the features throws.
/// - Complexity: O(n·d·m·log m), on all cores, and all features in memory.
public func gaussianMarginals(of features: some TokenFeatures) throws -> [Float] {
  let m = features.imageCount
  let columns = features.grid.cellCount * features.featureDimensions
  // Twice the mean rank is a whole number from 2 to 2m.
  let quantiles = (0...2 * m).map { twice in
    twice < 2 ? 0 : Float(normalQuantile(Double(twice) / Double(2 * (m + 1))))
  }
  let values = try features.features(ofImages: 0..<m)
  let transformed = columnwise(columns) { column in
    let order = (0..<m).sorted { values[$0 * columns + column] < values[$1 * columns + column] }
    var result = [Float](repeating: 0, count: m)
    var first = 0
    while first < m {
      var end = first + 1
      let value = values[order[first] * columns + column]
      while end < m, values[order[end] * columns + column] == value { end += 1 }
      // Ranks first + 1 … end.
      for place in first..<end { result[order[place]] = quantiles[first + 1 + end] }
      first = end
    }
    return result
  }
  var result = [Float](repeating: 0, count: values.count)
  for (column, numbers) in transformed.enumerated() {
    for (i, value) in numbers.enumerated() { result[i * columns + column] = value }
  }
  return result
}

/// Φ⁻¹(p), by bisection on erfc to the last bit that matters here (1e-12).
func normalQuantile(_ p: Double) -> Double {
  precondition(p > 0 && p < 1, "a quantile belongs to a probability")
  var (low, high) = (-40.0, 40.0)
  while high - low > 1e-12 {
    let middle = 0.5 * (low + high)
    if 0.5 * erfc(-middle / 2.0.squareRoot()) < p { low = middle } else { high = middle }
  }
  return 0.5 * (low + high)
}

private func columnwise(
  _ columns: Int, _ body: @Sendable (Int) -> [Float]
) -> [[Float]] {
  let results = ColumnStore(count: columns)
  parallelFor(columns) { results.set($0, body($0)) }
  return results.columns
}
