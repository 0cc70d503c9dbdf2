import LinearAlgebra

/// What `--jitter` and the ridge on random functions add to the scatter of a token's coordinates, the same for all tokens.
///
/// - Parameters:
///   - marginal: Each token's scatter with itself.
///   - channels: d; the coordinates after them are random functions.
func addedVariances(to marginal: [Matrix], channels: Int, jitter: Double) -> [Double] {
  let width = marginal.first?.rows ?? 0
  func sum(_ coordinates: Range<Int>) -> Double {
    marginal.reduce(0.0) { sum, block in coordinates.reduce(sum) { $0 + block[$1, $1] } }
  }
  let jitter = jitter * sum(0..<width) / Double(marginal.count * width)
  var result = [Double](repeating: jitter, count: width)
  if channels < width {
    let added = channels..<width
    let variance = sum(added) / Double(added.count * marginal.count) + jitter
    for c in added { result[c] += randomFeatureRidge * variance }
  }
  return result
}
