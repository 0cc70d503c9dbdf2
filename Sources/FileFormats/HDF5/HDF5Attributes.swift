extension HDF5Structure {
  /// Makes sure that an attribute's name, type, extents and value lie inside its message; the header of its type is
  /// returned, where that stands in another.
  func checkAttribute(_ cursor: inout HDF5Cursor) throws(HDF5Damage) -> [Int] {
    let (version, flags) = (try cursor.number(1), try cursor.number(1))
    guard (1...3).contains(version) else { throw HDF5Damage("an attribute is of another version") }
    // Of version 1 each part begins at a multiple of eight bytes; later ones may refer to types elsewhere.
    func padded(_ size: Int) -> Int { version == 1 ? (size + 7) / 8 * 8 : size }
    let nameBytes = try cursor.number(2)
    let (typeSize, spaceSize) = (try cursor.number(2), try cursor.number(2))
    if version == 3 { try cursor.skip(1) }
    do throws(HDF5Damage) {
      var (name, type) = (try cursor.part(padded(nameBytes)), try cursor.part(padded(typeSize)))
      var space = try cursor.part(padded(spaceSize))
      name = try name.part(nameBytes)
      try name.text()
      var headers: [Int] = []
      let elementBytes: Int?
      if version > 1, flags & 1 != 0 {
        headers = try sharedHeader(&type).map { [$0] } ?? []
        elementBytes = try headers.first.map { (header) throws(HDF5Damage) in
          try namedTypeBytes(header)
        }
      } else {
        elementBytes = try typeBytes(&type)
      }
      if version > 1, flags & 2 != 0 { return headers }
      guard let count = try extents(&space) else {
        throw HDF5Damage("an attribute has impossible extents")
      }
      // Types in a heap are only known to the library.
      if let elementBytes {
        let size = (try? FileClaim.bytes([count], each: elementBytes)) ?? .max
        try cursor.skip(size)
      }
      return headers
    } catch {
      throw HDF5Damage("an attribute reaches beyond its place: \(error.description)")
    }
  }
}
