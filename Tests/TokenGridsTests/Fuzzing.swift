import Statistics
import Testing

@testable import TokenGrids

/// Reads thousands of seeded mutations of a well-formed input; each has to give a valid value or an order file error.
func fuzz<Value>(
  _ original: [UInt8], seed: UInt64, rounds: Int = 4000, read: ([UInt8]) throws -> Value,
  isValid: (Value) -> Bool
) throws {
  #expect(isValid(try read(original)))
  var generator = SeededGenerator(seed: seed)
  let telling =
    Array("0123456789,; \t\n\r#-+.eE[]{}\":\\u\u{0}".utf8) + [0xC3, 0xFF, 0xEF, 0xBB, 0xBF]
  var (accepted, refused) = (0, 0)
  for _ in 0..<rounds {
    var bytes = original
    for _ in 0...generator.nextIndex(below: 4) {
      let place = generator.nextIndex(below: bytes.count + 1)
      let byte = telling[generator.nextIndex(below: telling.count)]
      let end = min(bytes.count, place + 1 + generator.nextIndex(below: 6))
      switch generator.nextIndex(below: 6) {
      case 0: bytes.insert(byte, at: place)
      case 1 where place < bytes.count: bytes[place] = byte
      case 2 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
      case 3: bytes.removeSubrange(place..<end)
      case 4:
        bytes.insert(
          contentsOf: bytes[place..<end], at: generator.nextIndex(below: bytes.count + 1))
      default: if generator.nextIndex(below: 8) == 0 { bytes.removeSubrange(place...) }
      }
    }
    do {
      let value = try read(bytes)
      accepted += 1
      #expect(isValid(value), "accepted \(String(decoding: bytes, as: UTF8.self))")
    } catch let error as OrderFileError {
      refused += 1
      #expect(error.description.hasPrefix("f"))
    }
  }
  // Both happen often, or the mutations were too tame or too wild to tell anything.
  #expect(accepted > rounds / 50 && refused > rounds / 4)
}
