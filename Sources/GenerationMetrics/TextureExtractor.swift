import LinearAlgebra
import TokenData
import TokenGrids

/// All 3 × 3 windows of codebook features, each a sample of 9·d numbers: positions in raster order, channels last.
///
/// Windows overlap and share an image, so the images, not the windows, are the independent units. A video's windows lie in
/// one frame each.
public struct TextureExtractor: FeatureExtractor {
  /// `texture`.
  public let name = ExtractorName.texture.rawValue
  /// The windows and the codebook's channels.
  public let definition: String
  /// 9·d.
  public let dimensions: Int
  /// (rows − 2)·(columns − 2) in each frame.
  public let samplesPerImage: Int

  private static let side = 3
  /// The raster indices of every window's tokens.
  private let windows: [[Int]]

  /// Prepares the windows of a dataset's grid.
  ///
  /// - Throws: ``MetricError/gridTooSmall(source:extractor:grid:side:)`` below 3 × 3 tokens.
  public init(for dataset: TokenDataset) throws {
    let grid = dataset.grid
    guard grid.rows >= Self.side, grid.columns >= Self.side else {
      throw MetricError.gridTooSmall(
        source: dataset.name, extractor: ExtractorName.texture.rawValue, grid: grid,
        side: Self.side)
    }
    var windows: [[Int]] = []
    for frame in 0..<grid.frames {
      for row in 0...grid.rows - Self.side {
        for column in 0...grid.columns - Self.side {
          windows.append(
            (0..<Self.side * Self.side).map {
              grid.index(
                of: GridCell(
                  frame: frame, row: row + $0 / Self.side, column: column + $0 % Self.side))
            })
        }
      }
    }
    self.windows = windows
    samplesPerImage = windows.count
    dimensions = Self.side * Self.side * dataset.featureDimensions
    definition = """
      texture 1: features of every 3x3 window of tokens, positions in raster order, channels last; grid \(grid), \
      \(dataset.featureDimensions) channels
      """
  }

  /// One feature a window; see ``FeatureExtractor/features(of:images:)``.
  public func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    try dataset.features(ofWindows: windows, images: images)
  }
}

extension TokenDataset {
  /// The features of the tokens of every window, one row a window, image by image: (images · windows) × (tokens of a window · d).
  ///
  /// - Parameter windows: raster indices of tokens; all windows have as many.
  /// - Throws: why tokens cannot be read.
  /// - Complexity: O(rows · columns) time and memory.
  package func features(ofWindows windows: [[Int]], images: Range<Int>) throws -> FloatMatrix {
    let (n, d) = (grid.cellCount, featureDimensions)
    let tokens = try features(ofImages: images)
    let columns = (windows.first?.count ?? 0) * d
    var elements: [Float] = []
    elements.reserveCapacity(images.count * windows.count * columns)
    for image in 0..<images.count {
      for window in windows {
        for token in window {
          let source = (image * n + token) * d
          elements.append(contentsOf: tokens[source..<source + d])
        }
      }
    }
    return FloatMatrix(
      rows: images.count * windows.count, columns: columns, elements: elements)
  }
}
