import FileFormats
import TokenGrids

/// How the tokens of one photograph lie in an array.
struct ImportLayout: Hashable, Sendable {
  /// The grid of one crop.
  let grid: TokenGrid
  /// How many crops of a photograph there are.
  let crops: Int
  /// d for features; nil for codes.
  let dimensions: Int?
  /// Where features have their channels.
  let channels: ChannelPlacement

  /// The numbers of one crop.
  var elementsPerCrop: Int { grid.cellCount * (dimensions ?? 1) }

  /// Finds the grid in the extents of an array.
  ///
  /// - Parameters:
  ///   - shape: the extents of the whole array.
  ///   - leading: how many extents count photographs: 1 for a stack, 0 for the file of one
  ///     photograph.
  ///   - channels: where the channels of features stand; nil for last where that is plausible, or the grid is given.
  init(
    shape stored: [Int], leading: Int, type: NpyType, grid wanted: TokenGrid?,
    channels: ChannelPlacement? = nil, file: String
  ) throws(TokenImportError) {
    let isFeatures = !type.isInteger
    self.channels = isFeatures ? channels ?? .last : .last
    guard channels == nil || isFeatures else {
      throw .channelsOfCodes(file: file, type: type.description)
    }
    var shape = stored
    if channels == .first {
      guard leading == 1, let last = ChannelPlacement.first.channelsLast(stored) else {
        throw .noChannelsFirst(file: file, shape: stored)
      }
      shape = last
    }
    let extents = isFeatures ? Array(shape.dropLast()) : shape
    if leading == 1, shape.count > 1, shape[0] == 0 { throw .noImages(file: file, shape: shape) }
    guard extents.count > leading, shape.allSatisfy({ $0 > 0 }) else {
      throw .gridNeeded(file: file, shape: shape)
    }
    dimensions = isFeatures ? shape.last : nil
    let trailing = Array(extents.dropFirst(leading))
    if let wanted {
      let sides =
        wanted.isVideo
        ? [wanted.frames, wanted.rows, wanted.columns] : [wanted.rows, wanted.columns]
      let rest: [Int]
      if trailing.suffix(sides.count) == sides[...] {
        rest = trailing.dropLast(sides.count)
      } else if trailing.last == wanted.cellCount {
        rest = trailing.dropLast(1)
      } else {
        throw .gridMismatch(file: file, shape: shape, grid: wanted)
      }
      grid = wanted
      crops = rest.reduce(1, *)
      return
    }
    // (images, channels, side, side), as convolutional networks have it, would pass as a grid of channels x side.
    if isFeatures, leading == 1, channels == nil, ChannelPlacement.isImplausiblyLast(shape) {
      throw .channelsFirst(file: file, shape: shape)
    }
    // The file of one photograph is (1, crops, tokens); a stack is (images, [frames, [rows,]]
    // columns).
    if leading == 1, trailing.count == 2 {
      (grid, crops) = (TokenGrid(rows: trailing[0], columns: trailing[1]), 1)
    } else if leading == 1, trailing.count == 3 {
      (grid, crops) =
        (TokenGrid(frames: trailing[0], rows: trailing[1], columns: trailing[2]), 1)
    } else if let n = trailing.last, leading == 0 || trailing.count == 1 {
      let side = Int(Double(n).squareRoot().rounded())
      guard side * side == n else { throw .gridNeeded(file: file, shape: shape) }
      (grid, crops) = (TokenGrid(rows: side, columns: side), trailing.dropLast().reduce(1, *))
    } else {
      throw .gridNeeded(file: file, shape: shape)
    }
  }
}

/// Where tokens come from, photograph by photograph.
protocol TokenImportSource: Sendable {
  /// The path as the user typed it.
  var path: String { get }
  /// The numbers of the photographs, in order.
  var numbers: [UInt32] { get }
  /// How many numbers between the smallest and the largest are not there.
  var missingCount: Int { get }
  /// How the tokens of a photograph lie in an array.
  var layout: ImportLayout { get }
  /// The type of the numbers.
  var type: NpyType { get }
  /// Whether the first numbers are whole and not negative, so that they may be codes whatever their type.
  var holdsWholeNumbers: Bool { get }
  /// Files that are no tokens by their names.
  var otherFiles: [String] { get }
  /// The array that holds a photograph, and the place of its first number.
  func array(_ number: UInt32) throws -> (array: NpyArray, first: Int)
}
