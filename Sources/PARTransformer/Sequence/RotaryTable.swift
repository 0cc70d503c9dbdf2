import Foundation
import LinearAlgebra
import NeuralKernels
import TokenGrids

/// By what angles the queries and keys of every input position are turned: rotary position embedding on a grid.
///
/// For images the h/2 coordinate pairs (2i, 2i + 1) of a head of width h turn by `[row·f, column·f]` with
/// f_k = 10000^(−k/(h/4)), k = 0 … h/4 − 1: the published table. Every token keeps the angles of its own cell whatever
/// its place in the sequence.
///
/// For video they turn by `[frame·f, row·f, column·f]`. How the pairs are divided has not been published. Here rows
/// and columns each get round(h/6) pairs and frames the rest, so that the two spatial axes stay alike, and each axis
/// runs through the same range of frequencies as in an image.
///
/// The class and the transition tokens have cosine and sine 0, not the identity: their queries and keys vanish, they
/// look uniformly over what they may see, and others score them 0. Checkpoints depend on it.
public struct RotaryTable: Sendable {
  /// positions × pairs, row-major.
  public let cosines: [Float]
  /// positions × pairs, row-major.
  public let sines: [Float]
  /// h/2, the number of coordinate pairs of a head.
  public let pairs: Int

  /// The base of the frequencies.
  static let base = 10_000.0

  /// Derives the table of a sequence for heads of width `headWidth`.
  ///
  /// - Throws: ``PARError/headTooNarrow(headWidth:grid:)`` when there are not enough pairs for every axis.
  public init(sequence: PARSequence, headWidth: Int) throws(PARError) {
    let grid = sequence.order.grid
    let pairs = headWidth / 2
    let shares = Self.pairsOfAxes(pairs, grid: grid)
    guard shares.allSatisfy({ $0 >= 1 }) else {
      throw .headTooNarrow(headWidth: headWidth, grid: grid)
    }
    let frequencies = shares.map { share in
      (0..<share).map { Float(pow(Self.base, -Double($0) / Double(share))) }
    }
    var (cosines, sines): ([Float], [Float]) = ([], [])
    for position in 0..<sequence.positionCount {
      guard case .token(let token) = sequence.input(at: position) else {
        cosines += repeatElement(0, count: pairs)
        sines += repeatElement(0, count: pairs)
        continue
      }
      let cell = grid.cell(at: sequence.cells[token])
      let coordinates =
        grid.isVideo ? [cell.frame, cell.row, cell.column] : [cell.row, cell.column]
      for (coordinate, axis) in zip(coordinates, frequencies) {
        for frequency in axis {
          let angle = Float(coordinate) * frequency
          cosines.append(Float(cos(Double(angle))))
          sines.append(Float(sin(Double(angle))))
        }
      }
    }
    self.cosines = cosines
    self.sines = sines
    self.pairs = pairs
  }

  /// How many pairs each axis gets: row and column, or frame, row and column.
  static func pairsOfAxes(_ pairs: Int, grid: TokenGrid) -> [Int] {
    guard grid.isVideo else { return [pairs / 2, pairs / 2] }
    let spatial = (pairs + 1) / 3
    return [pairs - 2 * spatial, spatial, spatial]
  }

  /// The table as the attention kernels read it.
  var rotation: TransformerKernels.Rotation {
    TransformerKernels.Rotation(cosines: cosines, sines: sines, pairs: pairs)
  }
}
