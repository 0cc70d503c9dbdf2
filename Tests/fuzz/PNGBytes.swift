/// PNG files of the kinds that libpng's simplified interface does not write, put together byte by byte.
enum PNGBytes {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// A picture whose lines are stored without compression.
  ///
  /// - Parameters:
  ///   - lines: the bytes of each row, without the filter's number.
  ///   - chunks: what stands before the picture's data.
  static func file(
    width: Int, depth: UInt8, colour: UInt8, lines: [[UInt8]],
    chunks: [(type: String, content: [UInt8])] = []
  ) -> [UInt8] {
    let data: [UInt8] = lines.flatMap { line -> [UInt8] in [0] + line }
    var (a, b) = (1, 0)
    for byte in data { (a, b) = ((a + Int(byte)) % 65521, (a + Int(byte) + b) % 65521) }
    let length = [UInt8(data.count & 0xFF), UInt8(data.count >> 8)]
    let stream = [0x78, 0x01, 1] + length + length.map(~) + data + bigEndian(b << 16 | a)
    let header = bigEndian(width) + bigEndian(lines.count) + [depth, colour, 0, 0, 0]
    return signature + chunk("IHDR", header) + chunks.flatMap { chunk($0.type, $0.content) }
      + chunk("IDAT", stream) + chunk("IEND", [])
  }

  /// Gives every chunk of a file the checksum of its content.
  static func repairChecksums(_ bytes: inout [UInt8]) {
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = offset + 8 + length
      guard end + 4 <= bytes.count else { return }
      bytes.replaceSubrange(end..<end + 4, with: bigEndian(checksum(bytes[offset + 4..<end])))
      offset = end + 4
    }
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    (0..<4).reversed().map { UInt8(value >> (8 * $0) & 0xFF) }
  }

  private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + content
    return bigEndian(content.count) + body + bigEndian(checksum(body[...]))
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return Int(~crc)
  }
}
