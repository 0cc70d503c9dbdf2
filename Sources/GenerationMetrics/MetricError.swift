import SystemResources
import TokenGrids

/// Why two sets of images cannot be compared.
public enum MetricError: Error, Equatable {
  /// Features of different numbers of dimensions.
  case differentDimensions(first: Int, second: Int)
  /// A matrix that is given as a covariance has a negative eigenvalue.
  case notCovariance(eigenvalue: Double)
  /// Two datasets with different grids.
  case differentGrids(first: String, TokenGrid, second: String, TokenGrid)
  /// Two datasets whose codes mean different things.
  case differentCodebooks(first: String, String, second: String, String)
  /// A grid too small for an extractor.
  case gridTooSmall(source: String, extractor: String, grid: TokenGrid, side: Int)
  /// Images too small for an extractor.
  case imagesTooSmall(source: String, width: Int, height: Int, side: Int)
  /// Two sets of images of different sizes.
  case differentImageSizes(
    first: String, width: Int, height: Int, second: String, secondWidth: Int, secondHeight: Int)
  /// There are fewer images than a metric needs.
  case tooFewImages(source: String, extractor: String, images: Int, needed: Int)
  /// A feature is not a finite number.
  case notFinite(source: String, extractor: String, image: Int)
  /// Features that do not fit into memory; so many images' would, 0 if none.
  case tooLittleMemory(source: String, InsufficientMemory, fittingImages: Int)
}

extension MetricError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, what was expected, and what to do.
  public var description: String {
    switch self {
    case .differentDimensions(let first, let second):
      "the features have \(first) and \(second) dimensions; statistics are compared only if one extractor made them"
    case .notCovariance(let eigenvalue):
      "the matrix given as a covariance has the eigenvalue \(eigenvalue); those of a covariance are not negative"
    case .differentGrids(let first, let a, let second, let b):
      "\(first) has a \(a) grid of tokens and \(second) one of \(b); only equal grids are compared"
    case .differentCodebooks(let first, let a, let second, let b):
      "\(first) has the codebook \(a) and \(second) \(b): their codes mean different things; give both the same codebook"
    case .gridTooSmall(let source, let extractor, let grid, let side):
      "\(source): a grid of \(grid) tokens is too small for \(extractor); it needs \(side) rows and columns"
    case .imagesTooSmall(let source, let width, let height, let side):
      "\(source): images of \(width)x\(height) pixels are too small for pixels; it needs a side of \(side)"
    case .differentImageSizes(
      let first, let width, let height, let second, let secondWidth, let secondHeight):
      "\(first) has images of \(width)x\(height) pixels and \(second) of \(secondWidth)x\(secondHeight); only equal sizes are compared"
    case .tooFewImages(let source, let extractor, let images, let needed):
      "\(source): \(images) image\(images == 1 ? " is" : "s are") too few for \(extractor); at least \(needed) are needed"
    case .notFinite(let source, let extractor, let image):
      "\(source): a feature of image \(image) by \(extractor) is not a finite number"
    case .tooLittleMemory(let source, let lack, let fitting):
      "\(source): \(lack)" + (fitting > 0 ? "; at most \(fitting) images fit" : "")
    }
  }
}
