import LinearAlgebra
import TokenGrids

/// The Cholesky factor of a scatter with the tokens in the sequence in which they are generated. It holds what steps of any
/// sizes lose: the residual scatter of token k given the tokens before place a is Σ_{j=a…k} L_kj·L_kjᵀ.
struct SequenceFactorization: Sendable {
  /// Raster indices.
  let sequence: [Int]
  let grid: TokenGrid
  /// m, the images fitted to.
  let imageCount: Int
  /// C, how many means were taken off.
  let meanCount: Int
  /// The coordinates of a token.
  let coordinates: Int
  /// d, the channels of a token whose entropy is wanted: its first coordinates.
  let channels: Int
  let factor: CholeskyFactor
  /// x̄ in raster order.
  let mean: [Double]
  /// Whether the scatter was summed in mixed precision, so that images may be whitened in single precision.
  let isMixedPrecision: Bool
  /// Whether something was added to the variances.
  let hasJitter: Bool

  /// Factors the scatter.
  ///
  /// - Parameters:
  ///   - sequence: Every cell of the grid once.
  ///   - name: What messages call the sequence.
  ///   - channels: d where a token has more coordinates than channels; nil for as many.
  /// - Throws: ``EstimationError`` for another grid, too few images (ν < d for the last token), and constant or linearly
  ///   dependent channels.
  /// - Complexity: (n·d)³/3 multiplications and additions.
  init(
    of sequence: [Int], on grid: TokenGrid, name: String, moments: TokenMoments,
    channels: Int? = nil
  ) throws {
    guard grid == moments.grid else {
      throw EstimationError.gridMismatch(
        source: moments.name, data: moments.grid, order: name, orderGrid: grid)
    }
    if moments.penalty == 0 {
      try RequiredImages(moments).suffice(contextTokens: grid.cellCount - 1)
    }
    try moments.requireVaryingChannels()
    coordinates = moments.featureDimensions
    self.channels = channels ?? coordinates
    factor = try Self.factor(
      sequence, on: grid, name: name, moments: moments, channels: self.channels)
    self.sequence = sequence
    self.grid = grid
    imageCount = moments.imageCount
    meanCount = moments.meanCount
    mean = moments.mean
    isMixedPrecision = moments.roundingScale != nil
    hasJitter = moments.jitter > 0
  }

  /// L of the scatter with the tokens in sequence.
  private static func factor(
    _ sequence: [Int], on grid: TokenGrid, name: String, moments: TokenMoments, channels: Int
  ) throws(EstimationError) -> CholeskyFactor {
    let d = moments.featureDimensions
    func place(_ row: Int) -> (cell: GridCell, channel: Int, coordinate: Int) {
      let cell = sequence[row / d]
      return (grid.cell(at: cell), row % d, cell * d + row % d)
    }
    let factor: CholeskyFactor
    do throws(NotPositiveDefinite) {
      factor = try CholeskyFactor(
        ofLowerTriangle: moments.scatter.symmetricPermutation(ofBlocks: sequence, blockSize: d))
    } catch {
      let (cell, channel, _) = place(error.index)
      if moments.roundingScale != nil {
        throw .insufficientPrecision(source: moments.name, cell: cell, channel: channel)
      }
      throw .dependentChannel(
        source: moments.name, cell: cell, channel: channel,
        context: error.index < d
          ? "the token's other channels"
          : "its other channels and the tokens before it in \(name)")
    }
    if let scale = moments.roundingScale {
      for row in 0..<factor.order where row % d < channels {
        let (cell, channel, coordinate) = place(row)
        let pivot = factor.lower[row, row]
        guard pivot * pivot > smallestResolvedShare * scale[coordinate] else {
          throw .insufficientPrecision(source: moments.name, cell: cell, channel: channel)
        }
      }
    }
    return factor
  }

  /// The share of a coordinate's sum of squares that must be left for mixed precision to resolve it: rounding by 10⁻⁹ of
  /// the sum then moves an entropy by less than 10⁻⁶.
  private static let smallestResolvedShare = 1e-3
}
