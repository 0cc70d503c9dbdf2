import LinearAlgebra

/// The standard errors of ``NeighborMetrics``: a jackknife over the groups of both sets.
public struct NeighborErrors: Hashable, Sendable {
  /// Of the precision.
  public let precision: Double
  /// Of the recall.
  public let recall: Double
  /// Of the density.
  public let density: Double
  /// Of the coverage.
  public let coverage: Double

  /// Leaves out each group of one set, then of the other.
  ///
  /// The two sets are independent, so that the squares of their errors add.
  /// - Parameter neighbors: Every k.
  /// - Precondition: sets without a group still have more than k samples.
  /// - Complexity: 18 times that of the metrics themselves.
  public static func errors(
    real: FeatureSet, generated: FeatureSet, neighbors: [Int]
  ) -> [NeighborErrors] {
    let groups = real.groupRows.indices
    let withoutReal = groups.map {
      NeighborMetrics.metrics(
        real: real.rows(withoutGroup: $0), generated: generated.rows, neighbors: neighbors)
    }
    let withoutGenerated = generated.groupRows.indices.map {
      NeighborMetrics.metrics(
        real: real.rows, generated: generated.rows(withoutGroup: $0), neighbors: neighbors)
    }
    return neighbors.indices.map { index in
      func error(_ value: (NeighborMetrics) -> Double) -> Double {
        let a = jackknifeError(of: withoutReal.map { value($0[index]) })
        let b = jackknifeError(of: withoutGenerated.map { value($0[index]) })
        return (a * a + b * b).squareRoot()
      }
      return NeighborErrors(
        precision: error(\.precision), recall: error(\.recall), density: error(\.density),
        coverage: error(\.coverage))
    }
  }
}
