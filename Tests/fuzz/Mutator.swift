import FileFormats
import Statistics
import TokenData
import TokenGrids

/// Damages well-formed files in the ways that have broken readers of files: each seed makes one file.
struct Mutator {
  /// What is put right after the damage, so that it gets past the first check.
  enum Repair {
    case nothing
    /// The checksums of a PNG file's chunks.
    case pngChecksums
    /// The length that a safetensors file begins with.
    case safetensorsLength
    /// The checksums of later headers in an HDF5 file.
    case hdf5Checksums
  }

  let originals: [[UInt8]]
  let repair: Repair

  /// Numbers at which counts, sizes and offsets go wrong.
  private static let hostile: [Int64] = [
    0, 1, -1, -5, 0x7F, 0x80, 0xFFFF, 1 << 16, 1 << 20, 1 << 27, 1 << 31 - 1, 1 << 31, 1 << 32 - 1,
    1 << 32, 1 << 33, 1 << 40, 1 << 62, .max, .min,
  ]

  /// The file of a seed; some seeds of a hundred leave it as it was.
  func bytes(seed: UInt64) -> [UInt8] {
    var rng = SeededGenerator(seed: seed)
    let original = originals[Int(seed % UInt64(originals.count))]
    var bytes = original
    let changes = rng.nextIndex(below: 8) == 0 ? 8 : rng.nextIndex(below: 4)
    for _ in 0..<changes where !bytes.isEmpty { change(&bytes, &rng) }
    // A file with wrong checksums must be refused too.
    guard rng.nextIndex(below: 8) > 0 else { return bytes }
    switch repair {
    case .nothing: break
    case .pngChecksums: PNGBytes.repairChecksums(&bytes)
    case .safetensorsLength: repairLength(&bytes)
    case .hdf5Checksums: repairHeaders(&bytes)
    }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], _ rng: inout SeededGenerator) {
    // Headers are in front: half of the changes fall on the first two hundred bytes.
    let limit = rng.nextIndex(below: 2) == 0 ? min(200, bytes.count) : bytes.count
    let place = rng.nextIndex(below: limit)
    let end = min(bytes.count, place + 1 + rng.nextIndex(below: 16))
    switch rng.nextIndex(below: 12) {
    case 0: bytes[place] ^= 1 << UInt8(rng.nextIndex(below: 8))
    case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][rng.nextIndex(below: 5)]
    case 2: bytes[place] = UInt8(rng.nextIndex(below: 256))
    case 3: bytes.removeSubrange(place..<end)
    case 4:
      bytes.insert(
        contentsOf: (place..<end).map { _ in UInt8(rng.nextIndex(below: 256)) }, at: place)
    case 5:
      // A piece of this file, or of another of its kind, over what is here.
      let other = originals[rng.nextIndex(below: originals.count)]
      let from = rng.nextIndex(below: other.count)
      bytes.replaceSubrange(
        place..<end, with: other[from..<min(other.count, from + end - place)])
    case 6: bytes.insert(contentsOf: bytes[place..<end], at: rng.nextIndex(below: bytes.count))
    case 7: if rng.nextIndex(below: 3) == 0 { bytes.removeSubrange(place...) }
    case 8, 9: overwriteNumber(&bytes, at: place, &rng)
    case 10: overwriteDigits(&bytes, from: place, &rng)
    default:
      let width = [1, 2, 4, 8][rng.nextIndex(below: 4)]
      guard place + width <= bytes.count else { return }
      // One more or less than it was, wherever its least byte is.
      let least = rng.nextIndex(below: 2) == 0 ? place : place + width - 1
      bytes[least] = rng.nextIndex(below: 2) == 0 ? bytes[least] &+ 1 : bytes[least] &- 1
    }
  }

  /// Puts a hostile number of 2, 4 or 8 bytes at a place, in either byte order.
  private func overwriteNumber(
    _ bytes: inout [UInt8], at place: Int, _ rng: inout SeededGenerator
  ) {
    let width = [2, 4, 8][rng.nextIndex(below: 3)]
    let value = Self.hostile[rng.nextIndex(below: Self.hostile.count)]
    let digits = (0..<width).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
    let isBigEndian = rng.nextIndex(below: 3) == 0
    for (offset, digit) in (isBigEndian ? digits.reversed() : digits).enumerated()
    where place + offset < bytes.count {
      bytes[place + offset] = digit
    }
  }

  /// Puts a hostile number in place of the next one that is written out in digits.
  private func overwriteDigits(
    _ bytes: inout [UInt8], from place: Int, _ rng: inout SeededGenerator
  ) {
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard let first = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    let value = Self.hostile[rng.nextIndex(below: Self.hostile.count)]
    let text = rng.nextIndex(below: 8) == 0 ? "1e9" : "\(value)"
    bytes.replaceSubrange(first..<end, with: Array(text.utf8))
  }

  /// Gives the superblock, the headers of objects and their continuations the checksums of what they hold, where those
  /// can be told to end: at the length that they say, or that the original has.
  private func repairHeaders(_ bytes: inout [UInt8]) {
    func number(_ place: Int, _ count: Int) -> Int {
      bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    func seal(_ start: Int, _ end: Int) {
      guard end > start, end + 4 <= bytes.count else { return }
      let sum = hdf5Checksum(bytes[start..<end])
      for digit in 0..<4 {
        bytes[end + digit] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * digit))
      }
    }
    if bytes.count > 48, bytes[8] >= 2 { seal(0, 44) }
    for start in bytes.indices.dropLast(16) where bytes[start] == UInt8(ascii: "O") {
      if bytes[start..<start + 4].elementsEqual("OHDR".utf8) {
        let flags = bytes[start + 5]
        let size = start + 6 + (flags & 0x20 == 0 ? 0 : 16) + (flags & 0x10 == 0 ? 0 : 4)
        let width = 1 << Int(flags & 3)
        guard size + width <= bytes.count, width < 8 else { continue }
        seal(start, size + width + number(size, width))
      } else if bytes[start..<start + 4].elementsEqual("OCHK".utf8) {
        // Its length stands where it is referred to: a message of an address and a length.
        let address = (0..<8).map { UInt8(truncatingIfNeeded: start >> (8 * $0)) }
        let place = bytes.indices.dropLast(16).first {
          bytes[$0] == address[0] && bytes[$0..<$0 + 8].elementsEqual(address)
            && (8..<1 << 16).contains(number($0 + 8, 8) & 0xFFFF_FFFF)
        }
        if let place { seal(start, start + (number(place + 8, 4)) - 4) }
      }
    }
  }

  /// Makes the header end with the brace that closes it, as far as that can be told.
  private func repairLength(_ bytes: inout [UInt8]) {
    var (depth, isInString, place) = (0, false, 8)
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\\") where isInString: place += 1
      case UInt8(ascii: "\""): isInString.toggle()
      case UInt8(ascii: "{") where !isInString: depth += 1
      case UInt8(ascii: "}") where !isInString: depth -= 1
      default: break
      }
      place += 1
      if depth <= 0 { break }
    }
    while place < bytes.count, bytes[place] == 0x20 { place += 1 }
    guard bytes.count > 8, place <= bytes.count else { return }
    for digit in 0..<8 { bytes[digit] = UInt8(truncatingIfNeeded: (place - 8) >> (8 * digit)) }
  }
}
