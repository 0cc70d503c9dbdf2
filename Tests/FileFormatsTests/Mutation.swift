import Statistics
import Testing
import TokenGrids

/// Reads seeded mutations of a well-formed input; each has to be read or refused with `Refusal`.
///
/// Half of the changes fall on the first `structured` bytes, where headers are. Anything but a
/// refusal of the expected type fails the test; a crash ends it.
func readMutations<Refusal: Error & CustomStringConvertible>(
  of original: [UInt8], rounds: Int = 100_000, structured: Int, seed: UInt64 = 1,
  refusal _: Refusal.Type, _ read: ([UInt8]) throws -> Void
) throws {
  try read(original)
  var rng = SeededGenerator(seed: seed)
  var (accepted, refused, undescribed) = (0, 0, 0)
  var unexpected: [String] = []
  for _ in 0..<rounds {
    var bytes = original
    for _ in 0...Int.random(in: 0...2, using: &rng) {
      let limit = Bool.random(using: &rng) ? min(structured, bytes.count) : bytes.count
      guard limit > 0 else { break }
      let place = Int.random(in: 0..<limit, using: &rng)
      switch Int.random(in: 0..<7, using: &rng) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &rng)
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &rng)
      case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &rng) ?? 0
      case 3: bytes.remove(at: place)
      case 4: bytes.insert(UInt8.random(in: 0...255, using: &rng), at: place)
      case 5:
        let length = Int.random(in: 1...8, using: &rng)
        let from = Int.random(in: 0..<bytes.count, using: &rng)
        bytes.replaceSubrange(
          place..<min(bytes.count, place + length),
          with: Array(bytes[from..<min(bytes.count, from + length)]))
      default: if Int.random(in: 0..<4, using: &rng) == 0 { bytes.removeSubrange(place...) }
      }
    }
    do {
      try read(bytes)
      accepted += 1
    } catch let error as Refusal {
      refused += 1
      if error.description.isEmpty { undescribed += 1 }
    } catch {
      unexpected.append("\(error)")
    }
  }
  #expect(unexpected.isEmpty, "\(unexpected.count), the first: \(unexpected.first ?? "")")
  #expect(undescribed == 0)
  // Both happen, or the mutations were too tame or too wild to tell anything.
  #expect(accepted > 0 && refused > rounds / 20, "\(accepted) read, \(refused) refused")
}
