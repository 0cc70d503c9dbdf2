import LinearAlgebra
import TokenData
import TokenGrids

/// The mean codebook feature in each of 4 × 4 equal cells of the image, cells in raster order, channels last: 16·d numbers.
///
/// Where 4 does not divide the rows or columns, a token on the border of two cells counts in each by the share of it that
/// lies there. A video's cells reach through all frames.
public struct StructureExtractor: FeatureExtractor {
  /// `structure`.
  public let name = ExtractorName.structure.rawValue
  /// The cells and the codebook's channels.
  public let definition: String
  /// 16·d.
  public let dimensions: Int
  /// 1.
  public let samplesPerImage = 1

  private static let side = 4
  /// For each cell its tokens, by raster index, with their shares; shares of a cell add up to 1.
  private let members: [[(token: Int, share: Float)]]

  /// Prepares the cells of a dataset's grid.
  ///
  /// - Throws: ``MetricError/gridTooSmall(source:extractor:grid:side:)`` below 4 × 4 tokens.
  public init(for dataset: TokenDataset) throws {
    let grid = dataset.grid
    guard grid.rows >= Self.side, grid.columns >= Self.side else {
      throw MetricError.gridTooSmall(
        source: dataset.name, extractor: ExtractorName.structure.rawValue, grid: grid,
        side: Self.side)
    }
    let rows = Self.shares(of: grid.rows)
    let columns = Self.shares(of: grid.columns)
    var members: [[(token: Int, share: Float)]] = []
    for row in rows {
      for column in columns {
        var cell: [(token: Int, share: Float)] = []
        for frame in 0..<grid.frames {
          for (r, a) in row {
            for (c, b) in column {
              let token = grid.index(of: GridCell(frame: frame, row: r, column: c))
              cell.append((token, Float(a * b / Double(grid.frames))))
            }
          }
        }
        members.append(cell)
      }
    }
    self.members = members
    dimensions = Self.side * Self.side * dataset.featureDimensions
    definition = """
      structure 1: mean feature of the tokens in 4x4 equal cells, by area, cells in raster order, channels last; \
      grid \(grid), \(dataset.featureDimensions) channels
      """
  }

  /// For each of four equal parts of `count` tokens, which lie in it and what share of the part each is.
  private static func shares(of count: Int) -> [[(Int, Double)]] {
    let width = Double(count) / Double(side)
    return (0..<side).map { part in
      let (low, high) = (Double(part) * width, Double(part + 1) * width)
      return (0..<count).compactMap { token in
        let overlap = min(high, Double(token + 1)) - max(low, Double(token))
        return overlap > 1e-12 ? (token, overlap / width) : nil
      }
    }
  }

  /// One feature an image; see ``FeatureExtractor/features(of:images:)``.
  public func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    let (n, d) = (dataset.grid.cellCount, dataset.featureDimensions)
    let tokens = try dataset.features(ofImages: images)
    var result = FloatMatrix(rows: images.count, columns: dimensions)
    for image in 0..<images.count {
      for (cell, cellMembers) in members.enumerated() {
        let target = image * dimensions + cell * d
        for (token, share) in cellMembers {
          let source = (image * n + token) * d
          for c in 0..<d { result.elements[target + c] += share * tokens[source + c] }
        }
      }
    }
    return result
  }
}
