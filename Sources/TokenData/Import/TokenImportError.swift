import FileFormats
import TokenGrids

/// Why tokens of other programs could not be imported.
public enum TokenImportError: Error, Equatable {
  /// A folder without a single file `0.npy`, `1.npy`, ….
  case noCodeFiles(folder: String, others: Int)
  /// A number of tokens that is no square, and no grid was given.
  case gridNeeded(file: String, shape: [Int])
  /// The array's extents do not end in those of the grid.
  case gridMismatch(file: String, shape: [Int], grid: TokenGrid)
  /// A file with more or fewer crops than the others.
  case cropCount(file: String, found: Int, expected: Int)
  /// Integers without a codebook, so that nothing says what they mean.
  case codebookNeeded(file: String, type: String)
  /// Features do not need a codebook.
  case codebookNotUsed(file: String, type: String)
  /// Features whose extents look as if the channels came before the rows.
  case channelsFirst(file: String, shape: [Int])
  /// Extents that cannot be images, channels, rows and columns.
  case noChannelsFirst(file: String, shape: [Int])
  /// Codes, which have no channels.
  case channelsOfCodes(file: String, type: String)
  /// Codes that were saved as floating-point numbers.
  case floatingPointCodes(file: String, type: String)
  /// An array of no images.
  case noImages(file: String, shape: [Int])
  /// A feature of double precision that single precision has no place for.
  case beyondSinglePrecision(file: String, image: Int, value: Double)
  /// Two files of codes with one number, as `2.npy` and `02.npy`.
  case repeatedNumber(folder: String, first: String, second: String)
  /// A code that is no row of the codebook.
  case codeOutsideCodebook(
    file: String, image: Int, crop: Int, cell: GridCell, code: Int64, codebookSize: Int)
  /// A feature that is NaN or infinite.
  case featureNotFinite(
    file: String, image: Int, crop: Int, cell: GridCell, channel: Int, value: Float)
  /// A label file with anything but one number.
  case labelShape(file: String, found: [Int])
  /// A label that does not fit.
  case invalidLabel(file: String, image: Int, value: Int64)
  /// Labels for another number of images.
  case labelCount(file: String, found: Int, image: Int)
  /// Labels that are a folder where one file is expected.
  case labelFileExpected(String)
  /// Not one file could be used.
  case nothingUsable(folder: String, leftOut: Int, first: String)
  /// A codebook of a kind that is not known.
  case codebookFormat(file: String)
  /// An archive of several arrays, none of which is named as tokens are.
  case noTokens(file: String, found: [String])
}

extension TokenImportError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .noTokens(let file, let found):
      "\(file): has the arrays \(found.prefix(8).joined(separator: ", ")); codes or features are expected, or one"
        + " array alone"
    case .noCodeFiles(let folder, let others):
      "\(folder): holds no files 0.npy, 1.npy, … (and \(others) others); a folder of codes as"
        + " LlamaGen writes it, or one .npy file, is expected"
    case .gridNeeded(let file, let shape):
      "\(file): the shape \(NpyHeader.tuple(shape)) does not say how many rows and columns the"
        + " tokens have; give the grid, as in --grid 16x32"
    case .gridMismatch(let file, let shape, let grid):
      "\(file): the shape \(NpyHeader.tuple(shape)) does not end in the grid \(grid) or its"
        + " \(grid.cellCount) tokens"
    case .cropCount(let file, let found, let expected):
      "\(file): has \(found) crops; the others have \(expected)"
    case .codebookNeeded(let file, let type):
      "\(file): holds codes (\(type)); give the codebook they index, as in --codebook vq.safetensors"
    case .codebookNotUsed(let file, let type):
      "\(file): holds features (\(type)), which need no codebook; leave --codebook out"
    case .channelsFirst(let file, let shape):
      "\(file): the shape \(NpyHeader.tuple(shape)) looks like channels before rows and columns; say --channels first,"
        + " or --channels last if they are last"
    case .noChannelsFirst(let file, let shape):
      "\(file): the shape \(NpyHeader.tuple(shape)) is not that of (images, channels, rows, columns) or (images, channels,"
        + " frames, rows, columns), which --channels first expects"
    case .channelsOfCodes(let file, let type):
      "\(file): holds codes (\(type)), which have no channels; leave --channels out"
    case .floatingPointCodes(let file, let type):
      "\(file): holds whole numbers as floating-point ones (\(type)); codes are saved as integers, as by"
        + " codes.astype(\"int32\")"
    case .noImages(let file, let shape):
      "\(file): has the shape \(NpyHeader.tuple(shape)) and holds no images; at least one is expected"
    case .beyondSinglePrecision(let file, let image, let value):
      "\(file): a feature of image \(image) is \(value), beyond single precision, which ends at 3.4e+38; divide all by a"
        + " constant"
    case .repeatedNumber(let folder, let first, let second):
      "\(folder): \(first) and \(second) have the same number; one file for each image is expected"
    case .codeOutsideCodebook(let file, let image, let crop, let cell, let code, let size):
      "\(file): token \(cell) of crop \(crop) of image \(image) is \(code), but the codebook has"
        + " \(size) entries"
    case .featureNotFinite(let file, let image, let crop, let cell, let channel, let value):
      "\(file): channel \(channel) of token \(cell) of crop \(crop) of image \(image) is \(value);"
        + " finite numbers are expected"
    case .labelShape(let file, let found):
      "\(file): has the shape \(NpyHeader.tuple(found)); the label of one image is expected"
    case .invalidLabel(let file, let image, let value):
      "\(file): the label of image \(image) is \(value); a number from 0 to 4294967294 is expected"
    case .labelCount(let file, let found, let image):
      "\(file): has \(found) labels, so that image \(image) has none"
    case .labelFileExpected(let path):
      "\(path): is a folder; the labels of one .npy file of codes are one .npy file"
    case .nothingUsable(let folder, let leftOut, let first):
      "\(folder): none of \(leftOut) files can be used; the first: \(first)"
    case .codebookFormat(let file):
      "\(file): not a codebook: a .npy array of entries x channels, or a VQ-16 checkpoint"
        + " (.safetensors or .pt), is expected"
    }
  }
}
