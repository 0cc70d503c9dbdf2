import Foundation

/// The 64-bit xxHash (XXH64, seed 0) of a file's bytes: which input a result was computed from.
///
/// It tells files apart and is no protection against forgery. `xxhsum -H64 FILE` prints the same
/// digits. The algorithm is Yann Collet's, after its public specification.
public struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  /// The hash as a number.
  public let value: UInt64

  /// Hashes a file, at several gigabytes a second.
  ///
  /// - Throws: ``TokenDataError`` when the file cannot be read.
  public init(ofFileAt path: String) throws {
    try checkIsReadableFile(path)
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw FileError.unreadable(path, reason: "it cannot be opened")
    }
    defer { try? file.close() }
    var hasher = XXHash64()
    do {
      while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
        hasher.update(data)
      }
    } catch {
      throw FileError.unreadable(path, reason: error.localizedDescription)
    }
    value = hasher.finalized()
  }

  /// A hash that was computed before.
  public init(value: UInt64) { self.value = value }

  /// Hashes bytes in memory.
  public init(of bytes: Data) {
    var hasher = XXHash64()
    hasher.update(bytes)
    value = hasher.finalized()
  }

  /// `xxh64:` and sixteen hexadecimal digits.
  public var description: String {
    let digits = String(value, radix: 16)
    return "xxh64:" + String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The running state of XXH64.
private struct XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lane1 = prime1 &+ prime2
  private var lane2 = prime2
  private var lane3: UInt64 = 0
  private var lane4 = 0 &- prime1
  private var length: UInt64 = 0
  /// Bytes that do not fill a stripe of 32 yet.
  private var rest = Data()

  mutating func update(_ data: Data) {
    length &+= UInt64(data.count)
    var data = data
    if !rest.isEmpty {
      data = rest + data
      rest = Data()
    }
    let whole = data.count / 32 * 32
    data.withUnsafeBytes { bytes in
      for offset in stride(from: 0, to: whole, by: 32) {
        lane1 = Self.round(lane1, Self.word(bytes, offset))
        lane2 = Self.round(lane2, Self.word(bytes, offset + 8))
        lane3 = Self.round(lane3, Self.word(bytes, offset + 16))
        lane4 = Self.round(lane4, Self.word(bytes, offset + 24))
      }
    }
    rest = Data(data.suffix(data.count - whole))
  }

  func finalized() -> UInt64 {
    var hash: UInt64
    if length >= 32 {
      hash =
        Self.rotated(lane1, 1) &+ Self.rotated(lane2, 7) &+ Self.rotated(lane3, 12)
        &+ Self.rotated(lane4, 18)
      for lane in [lane1, lane2, lane3, lane4] {
        hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
      }
    } else {
      hash = Self.prime5
    }
    hash &+= length
    rest.withUnsafeBytes { bytes in
      var offset = 0
      while offset + 8 <= bytes.count {
        hash ^= Self.round(0, Self.word(bytes, offset))
        hash = Self.rotated(hash, 27) &* Self.prime1 &+ Self.prime4
        offset += 8
      }
      if offset + 4 <= bytes.count {
        let half = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        hash ^= UInt64(half) &* Self.prime1
        hash = Self.rotated(hash, 23) &* Self.prime2 &+ Self.prime3
        offset += 4
      }
      for byte in bytes[offset...] {
        hash ^= UInt64(byte) &* Self.prime5
        hash = Self.rotated(hash, 11) &* Self.prime1
      }
    }
    hash = (hash ^ (hash >> 33)) &* Self.prime2
    hash = (hash ^ (hash >> 29)) &* Self.prime3
    return hash ^ (hash >> 32)
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotated(lane &+ word &* prime2, 31) &* prime1
  }

  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value << bits) | (value >> (64 - bits))
  }
}
