import Files
import Foundation

/// Named arrays in one file, for numpy or HDF5: what a program reads that goes on with a result.
///
/// A name may have parts, as in `maps/entropy`: groups in HDF5, and names as they stand in an archive of numpy.
public struct ArrayFile {
  /// The elements of an array, the last index fastest.
  public enum Elements: Sendable {
    /// Numbers in double precision; NaN for none.
    case numbers([Double])
    /// Whole numbers.
    case counts([Int])
    /// Texts, in UTF-8.
    case texts([String])
  }

  /// The kinds of files, by what their names end in.
  public static let extensions = [".npz", ".h5"]

  private var arrays: [(name: String, shape: [Int], elements: Elements)] = []

  /// Makes a file of nothing.
  public init() {}

  /// Adds an array.
  ///
  /// - Precondition: the product of the extents is the number of elements, and texts have one extent.
  public mutating func add(_ name: String, shape: [Int], _ elements: Elements) {
    let count =
      switch elements {
      case .numbers(let values): values.count
      case .counts(let values): values.count
      case .texts(let values): values.count
      }
    precondition(shape.reduce(1, *) == count, "the elements fill the shape")
    arrays.append((name, shape, elements))
  }

  /// Writes an `.npz` archive or an HDF5 file, by the name's ending, in place of a file that may be there.
  ///
  /// - Throws: `FileError.unwritable`; then nothing is left behind.
  /// - Precondition: the name ends in one of ``extensions``.
  /// - Complexity: O(elements).
  public func write(to path: String) throws {
    if path.hasSuffix(".npz") { try writeArchive(to: path) } else { try writeHDF5(to: path) }
  }

  private func writeArchive(to path: String) throws {
    try NpzArchive.write(
      arrays.map { name, shape, elements in
        let bytes =
          switch elements {
          case .numbers(let values): NpyWriter.bytes(values, shape: shape)
          case .counts(let values): NpyWriter.bytes(values.map { Int64($0) }, shape: shape)
          case .texts(let values): NpyWriter.bytes(texts: values)
          }
        return (name, bytes)
      }, to: path)
  }

  private func writeHDF5(to path: String) throws {
    let replacement = try OutputFile(path: path)
    let output = HDF5Output(descriptor: replacement.descriptor)
    func check() throws {
      if let reason = output.reason { throw FileError.unwritable(path, reason: reason) }
    }
    do {
      // The library closes the file when the last of its groups is gone.
      let root = try HDF5Group.createFile(output)
      var groups: [String: HDF5Group] = [:]
      for (name, shape, elements) in arrays {
        let parts = name.split(separator: "/").map(String.init)
        var group = root
        if parts.count > 1 {
          group = try groups[parts[0]] ?? root.createGroup(parts[0])
          groups[parts[0]] = group
        }
        let own = parts.dropFirst(parts.count - 1).joined()
        switch elements {
        case .numbers(let values): try group.write(values, shape: shape, to: own)
        case .counts(let values): try group.write(values.map { Int64($0) }, shape: shape, to: own)
        case .texts(let values): try group.write(values, to: own)
        }
      }
      try root.flush()
    } catch let failure as HDF5Failure {
      try check()
      throw FileError.unwritable(path, reason: failure.description)
    }
    try check()
    try replacement.commit()
  }
}

extension NpyWriter {
  /// The bytes of a file that holds texts, each as long as the longest, in UTF-8: numpy's type `S`.
  ///
  /// - Complexity: O(texts · the longest).
  public static func bytes(texts: [String]) -> Data {
    let width = max(1, texts.map(\.utf8.count).max() ?? 1)
    var data = header(type: "|S\(width)", shape: [texts.count])
    for text in texts {
      data.append(contentsOf: text.utf8)
      data.append(Data(count: width - text.utf8.count))
    }
    return data
  }
}
