import Files
import Foundation
import Testing

@Test func filesExample() throws {
  // README.md:
  let path = NSTemporaryDirectory() + "numbers-\(UUID().uuidString).bin"
  try OutputFile.write(Data([1, 2, 3]), to: path)
  let file = try MappedFile(path: path)
  let sum = file.bytes.reduce(0) { $0 + Int($1) }  // 6
  let hash = try ContentHash(ofFileAt: path)  // that of the bytes
  try FileManager.default.removeItem(atPath: path)
  // What it says is so:
  #expect(sum == 6)
  #expect(hash == ContentHash(of: Data([1, 2, 3])))
}
