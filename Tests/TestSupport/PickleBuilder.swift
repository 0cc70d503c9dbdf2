import FileFormats
import Foundation

/// Writes pickles as `torch.save` does (protocol 2), and others that it would not.
package struct PickleBuilder {
  package private(set) var bytes: [UInt8] = [0x80, 2]

  package init() {}

  package mutating func code(_ text: String) { bytes += Array(text.utf8) }
  package mutating func code(_ byte: UInt8) { bytes.append(byte) }

  package mutating func text(_ text: String) {
    code("X")
    bytes += (0..<4).map { UInt8(text.utf8.count >> (8 * $0) & 0xff) } + Array(text.utf8)
  }

  package mutating func integer(_ value: Int) {
    code("J")
    bytes += (0..<4).map { UInt8(value >> (8 * $0) & 0xff) }
  }

  package mutating func integers(_ values: [Int]) {
    code("(")
    for value in values { integer(value) }
    code("t")
  }

  package mutating func global(_ module: String, _ name: String) { code("c\(module)\n\(name)\n") }

  package mutating func tensor(
    key: String, count: Int, offset: Int = 0, shape: [Int], strides: [Int],
    type: String = "FloatStorage"
  ) {
    global("torch._utils", "_rebuild_tensor_v2")
    code("((")
    text("storage")
    global("torch", type)
    text(key)
    text("cpu")
    integer(count)
    code("tQ")
    integer(offset)
    integers(shape)
    integers(strides)
    code(0x89)
    global("collections", "OrderedDict")
    code(")RtR")
  }
}

/// The bytes of a checkpoint.
package func torchArchive(_ pickle: PickleBuilder, _ storages: [String: [UInt8]]) throws -> [UInt8]
{
  let folder = try TemporaryFolder()
  let path = folder.file("a.pt")
  try ZipWriter.write(
    [("archive/data.pkl", Data(pickle.bytes)), ("archive/version", Data("3\n".utf8))]
      + storages.sorted { $0.key < $1.key }.map { ("archive/data/\($0.key)", Data($0.value)) },
    to: path)
  return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Numbers as they stand in a storage.
package func littleEndian(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xff) } }
}
