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
/// - Throws: `TokenDataError` where all features do not fit into memory, and what reading the features throws.
/// - Complexity: O(n·d·m·log m), on all cores, and all features in memory.
public func gaussianMarginals(of features: some TokenFeatures) throws -> [Float] {
  let m = features.imageCount
  let columns = features.grid.cellCount * features.featureDimensions
  // Twice the mean rank is a whole number from 2 to 2m.
  let quantiles = (0...2 * m).map { twice in
    twice < 2 ? 0 : Float(normalQuantile(Double(twice) / Double(2 * (m + 1))))
  }
  try TokenMemory.require(
    images: m, bytesPerImage: 4 * Double(columns), for: "ranks", source: features.name)
  var values = try features.features(ofImages: 0..<m)
  // Columns do not meet each other, so each is replaced where it stands.
  values.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    let shared = SharedPointer(base)
    parallelFor(columns) { column in
      let own = (0..<m).map { shared.base[$0 * columns + column] }
      let order = (0..<m).sorted { own[$0] < own[$1] }
      var first = 0
      while first < m {
        var end = first + 1
        while end < m, own[order[end]] == own[order[first]] { end += 1 }
        // Ranks first + 1 … end.
        for place in first..<end {
          shared.base[order[place] * columns + column] = quantiles[first + 1 + end]
        }
        first = end
      }
    }
  }
  return values
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
