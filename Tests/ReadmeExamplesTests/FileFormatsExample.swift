import FileFormats
import Testing

@Test func fileFormatsExample() throws {
  // README.md:
  let data = NpyWriter.bytes([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
  let array = try NpyArray(bytes: [UInt8](data), name: "memory.npy")
  let shape = array.shape  // [2, 3]
  let second = array.floats(3..<6)  // the second row: [4, 5, 6]
  // What it says is so:
  #expect(shape == [2, 3] && second == [4, 5, 6])
}
