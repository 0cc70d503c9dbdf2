import FileFormats
import Files
import Foundation
import TokenGrids

/// A folder of codes as LlamaGen's and PAR's feature extraction writes it: `{i}.npy`, whole numbers
/// `1 × crops × n`.
///
/// (`extract_codes_c2i.py` of LlamaGen: ten crops, or image and mirror image, in raster order.)
struct CodeFolder: TokenImportSource {
  let path: String
  let numbers: [UInt32]
  let missingCount: Int
  let otherFiles: [String]
  /// The files' names by their numbers; zeros may stand before a number.
  private let names: [UInt32: String]
  let layout: ImportLayout
  let type: NpyType

  /// Lists the folder and finds the layout in the first file that can be read.
  ///
  /// - Parameter channels: where features have their channels, which codes have not: refused.
  /// - Throws: ``TokenImportError``, or what is wrong with the first file where none can be read.
  init(path: String, grid: TokenGrid?, channels: ChannelPlacement? = nil) throws {
    self.path = path
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw FileError.unreadable(path, reason: "the folder cannot be listed")
    }
    var files: [UInt32: String] = [:]
    for name in names.sorted() {
      guard let number = Self.number(ofFile: name) else { continue }
      if let other = files.updateValue(name, forKey: number) {
        throw TokenImportError.repeatedNumber(folder: path, first: other, second: name)
      }
    }
    self.names = files
    otherFiles = names.filter { Self.number(ofFile: $0) == nil && !$0.hasPrefix(".") }.sorted()
    let numbers = files.keys.sorted()
    guard let first = numbers.first, let last = numbers.last else {
      throw TokenImportError.noCodeFiles(folder: path, others: names.count)
    }
    self.numbers = numbers
    missingCount = Int(last - first) + 1 - numbers.count
    var problem: (any Error)?
    // A hundred files that cannot be read in a row are no accident.
    for number in numbers.prefix(100) {
      do {
        let file = Self.join(path, files[number] ?? "")
        let array = try NpyArray(path: file)
        guard array.type.isInteger else {
          throw NpyError.wrongType(
            file: file, type: array.type.description, expected: "whole numbers, the codes,")
        }
        layout = try ImportLayout(
          shape: array.shape, leading: 0, type: array.type, grid: grid, channels: channels,
          file: file)
        type = array.type
        return
      } catch {
        problem = problem ?? error
      }
    }
    throw problem ?? TokenImportError.noCodeFiles(folder: path, others: names.count)
  }

  func array(_ number: UInt32) throws -> (array: NpyArray, first: Int) {
    let file = Self.join(path, names[number] ?? "")
    let array = try NpyArray(path: file)
    guard array.elementCount.isMultiple(of: layout.grid.cellCount),
      let found = try? ImportLayout(
        shape: array.shape, leading: 0, type: type, grid: layout.grid, file: file)
    else {
      throw TokenImportError.gridMismatch(file: file, shape: array.shape, grid: layout.grid)
    }
    guard found.crops == layout.crops else {
      throw TokenImportError.cropCount(file: file, found: found.crops, expected: layout.crops)
    }
    return (array, 0)
  }

  /// The folder of labels that belongs to a folder of codes by its name, where there is one.
  static func labelFolder(besideCodes path: String) -> String? {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard trimmed.hasSuffix("_codes") else { return nil }
    let labels = trimmed.dropLast("codes".count) + "labels"
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(
      atPath: String(labels), isDirectory: &isDirectory)
    return exists && isDirectory.boolValue ? String(labels) : nil
  }

  var holdsWholeNumbers: Bool { false }

  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The number in a name like `17.npy` or `0017.npy`; nil for any other name.
  static func number(ofFile name: String) -> UInt32? {
    guard name.hasSuffix(".npy") else { return nil }
    let digits = name.dropLast(4)
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return UInt32(digits)
  }
}
