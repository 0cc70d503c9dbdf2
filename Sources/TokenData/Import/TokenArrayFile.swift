import FileFormats
import TokenGrids

/// One array of numpy with the tokens of all photographs: codes `m × n`, `m × H × W` or `m × T × H ×
/// W` of any integer type, or features with a last extent `d` of any floating-point type; crops may
/// stand after the first extent where the grid is given.
struct TokenArrayFile: TokenImportSource {
  let array: NpyArray
  /// The file that holds the array.
  let path: String
  let layout: ImportLayout

  init(_ array: NpyArray, path: String, grid: TokenGrid?, channels: ChannelPlacement?) throws {
    self.array = array
    self.path = path
    layout = try ImportLayout(
      shape: array.shape, leading: 1, type: array.type, grid: grid,
      channels: channels, file: array.name)
    guard array.shape[0] <= Int(UInt32.max) else {
      throw NpyError.impossibleShape(file: array.name, shape: array.shape)
    }
  }

  var type: NpyType { array.type }
  var numbers: [UInt32] { (0..<array.shape[0]).map { UInt32($0) } }
  var missingCount: Int { 0 }
  var otherFiles: [String] { [] }

  var holdsWholeNumbers: Bool {
    array.floats(0..<min(array.elementCount, 4096)).allSatisfy { $0 >= 0 && $0 == $0.rounded() }
  }

  func array(_ number: UInt32) -> (array: NpyArray, first: Int) {
    (array, Int(number) * layout.crops * layout.elementsPerCrop)
  }
}
