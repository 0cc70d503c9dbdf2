import FileFormats
import Files
import Foundation

/// The classes of photographs: a folder `{i}.npy` of single numbers, one `.npy` array, or none.
enum ImportLabels: Sendable {
  case none
  case folder(String, names: [UInt32: String])
  case array(NpyArray)

  /// - Throws: ``TokenDataError``, ``TokenImportError`` or ``NpyError`` when there are labels that
  ///   cannot be used.
  init(path: String?, allowingFolder: Bool = true) throws {
    guard let path else {
      self = .none
      return
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError.missing(path)
    }
    if isDirectory.boolValue {
      guard allowingFolder else { throw TokenImportError.labelFileExpected(path) }
      var names: [UInt32: String] = [:]
      for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
        if let number = CodeFolder.number(ofFile: name) { names[number] = name }
      }
      self = .folder(path, names: names)
      return
    }
    self = try Self(NpyArray(path: path))
  }

  /// - Throws: `NpyError` for an array that does not hold labels.
  init(_ array: NpyArray) throws(NpyError) {
    guard array.type.isInteger else {
      throw .wrongType(
        file: array.name, type: array.type.description, expected: "whole numbers, the labels,")
    }
    guard array.shape.dropFirst().allSatisfy({ $0 == 1 }), !array.shape.isEmpty else {
      throw .wrongShape(
        file: array.name, found: array.shape, expected: "one label for each image")
    }
    self = .array(array)
  }

  /// Whether there are labels.
  var exist: Bool {
    if case .none = self { false } else { true }
  }

  /// The labels of the photographs 0 to count − 1; nil where there are none at all.
  func labels(count: Int) throws -> [UInt32]? {
    guard case .array(let array) = self, count <= array.elementCount else {
      return exist ? try (0..<UInt32(count)).compactMap { try label(of: $0) } : nil
    }
    let values = try array.integers(0..<count)
    if let bad = values.firstIndex(where: { $0 < 0 || $0 >= UInt32.max }) {
      throw TokenImportError.invalidLabel(file: array.name, image: bad, value: values[bad])
    }
    return values.map { UInt32($0) }
  }

  /// The label of a photograph; nil where there are none at all.
  func label(of number: UInt32) throws -> UInt32? {
    let file: String
    let value: Int64
    switch self {
    case .none: return nil
    case .folder(let folder, let names):
      file = CodeFolder.join(folder, names[number] ?? "\(number).npy")
      let array = try NpyArray(path: file)
      guard array.elementCount == 1, let only = try array.integers().first else {
        throw TokenImportError.labelShape(file: file, found: array.shape)
      }
      value = only
    case .array(let array):
      file = array.name
      guard Int(number) < array.elementCount else {
        throw TokenImportError.labelCount(
          file: file, found: array.elementCount, image: Int(number))
      }
      value = try array.integers(Int(number)..<Int(number) + 1)[0]
    }
    guard value >= 0, value < UInt32.max else {
      throw TokenImportError.invalidLabel(file: file, image: Int(number), value: value)
    }
    return UInt32(value)
  }
}
