/// The messages of objects' headers: what the library parses of each must lie inside it.
extension HDF5Structure {
  /// Checks a message and takes down what it says of a group's members; the headers that it refers to are returned.
  func check(_ message: Message, members: inout Members) throws(HDF5Damage) -> [Int] {
    var cursor = HDF5Cursor(bytes, message.content)
    if message.isShared { return try sharedHeader(&cursor).map { [$0] } ?? [] }
    switch message.kind {
    case 0x01: _ = try extents(&cursor)
    case 0x02: try checkLinkInfo(&cursor, members: &members)
    case 0x03: _ = try typeBytes(&cursor)
    case 0x04: try cursor.skip(try cursor.number(4))
    case 0x05: try checkFill(&cursor)
    case 0x06:
      let (name, link) = try link(&cursor)
      members.links[name] = link
    case 0x07: try checkExternalFiles(&cursor)
    case 0x08: try checkLayout(&cursor)
    case 0x0A:
      try cursor.skip(1)
      let flags = try cursor.number(1)
      try cursor.skip((flags & 1 == 0 ? 0 : 4) + (flags & 2 == 0 ? 0 : 4))
    case 0x0B: try checkFilters(&cursor)
    case 0x0C: return try checkAttribute(&cursor)
    case 0x0D: try cursor.text()
    case 0x0E: try cursor.skip(14)
    case 0x0F: try cursor.skip(10)
    case 0x11:
      let (tree, heap) = (try cursor.number(8), try cursor.number(8))
      for (name, link) in try tableOfMembers(tree: tree, heap: heap) { members.links[name] = link }
    case 0x12: try cursor.skip(8)
    case 0x13: try cursor.skip(7)
    case 0x14:
      try cursor.skip(9)
      try cursor.skip(try cursor.number(2))
    case 0x15:
      try cursor.skip(1)
      let flags = try cursor.number(1)
      try cursor.skip((flags & 1 == 0 ? 0 : 2) + (flags & 2 == 0 ? 16 : 24))
    case 0x16: try cursor.skip(5)
    case 0x18: try cursor.skip(17)
    default: break  // Not parsed, or not by its content.
    }
    return []
  }

  /// The header that a shared message stands in; nil where it stands in a heap, with checksums.
  func sharedHeader(_ cursor: inout HDF5Cursor) throws(HDF5Damage) -> Int? {
    let version = try cursor.number(1)
    let kind = try cursor.number(1)
    if version == 1 { try cursor.skip(14) }
    let address = try cursor.number(8)
    return version == 3 && kind == 1 ? nil : address
  }

  // MARK: Extents and types

  /// The number of elements of a space; nil where it is beyond 63 bits.
  func extents(_ cursor: inout HDF5Cursor) throws(HDF5Damage) -> Int? {
    let (version, rank) = (try cursor.number(1), try cursor.number(1))
    let flags = try cursor.number(1)
    guard version == 1 || version == 2, rank <= 32 else {
      throw HDF5Damage("its header has extents of another kind")
    }
    let isNull = try cursor.number(1) == 2 && version == 2
    if version == 1 { try cursor.skip(4) }
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(try cursor.number(8)) }
    if flags & 1 != 0 {
      // Places of pieces are counted by the largest extents that there may be; -1 is any.
      for extent in extents {
        let largest = try cursor.number(8)
        guard largest < 0 || extent >= 0 && extent <= largest else {
          throw HDF5Damage("its extents are beyond their limits")
        }
      }
    }
    if isNull { return 0 }
    return extents.contains { $0 < 0 } ? nil : checkedProduct(extents)
  }

  /// The bytes of an element of a type, which is passed over with the types inside it.
  func typeBytes(_ cursor: inout HDF5Cursor, depth: Int = 0) throws(HDF5Damage) -> Int {
    let head = try cursor.number(1)
    let flags = try cursor.number(3)
    let size = try cursor.number(4)
    let version = head >> 4
    guard depth < 32, size > 0, (1...5).contains(version) else {
      throw HDF5Damage("its header has a type of another kind")
    }
    switch head & 15 {
    case 0, 4: try cursor.skip(4)  // Whole numbers and bits.
    case 1: try cursor.skip(12)
    case 2: try cursor.skip(2)
    case 3, 7: break  // Text of one length, references.
    case 5: try cursor.skip(flags & 0xFF)
    case 6:
      let offsetBytes = version < 3 ? 4 : (1...4).first { size >> (8 * $0) == 0 } ?? 4
      for _ in 0..<flags & 0xFFFF {
        try cursor.text(padded: version < 3)
        let offset = try cursor.number(offsetBytes)
        if version == 1 { try cursor.skip(28) }
        guard try typeBytes(&cursor, depth: depth + 1) <= size - offset else {
          throw HDF5Damage("a part of a type in its header lies outside it")
        }
      }
    case 8:
      let base = try typeBytes(&cursor, depth: depth + 1)
      for _ in 0..<flags & 0xFFFF { try cursor.text(padded: version < 3) }
      try cursor.skip(base * (flags & 0xFFFF))
    case 9:
      // A length, an address and a number.
      guard size == HDF5Heap.referenceBytes else {
        throw HDF5Damage("its header has a type of variable length of \(size) bytes")
      }
      _ = try typeBytes(&cursor, depth: depth + 1)
    case 10:
      let rank = try cursor.number(1)
      guard rank <= 32 else { throw HDF5Damage("its header has a type of \(rank) extents") }
      if version < 3 { try cursor.skip(3) }
      var extents: [Int] = []
      for _ in 0..<rank { extents.append(try cursor.number(4)) }
      if version < 3 { try cursor.skip(4 * rank) }
      let base = try typeBytes(&cursor, depth: depth + 1)
      guard let count = checkedProduct(extents + [base]), count <= size else {
        throw HDF5Damage("a part of a type in its header lies outside it")
      }
    case 11: _ = try typeBytes(&cursor, depth: depth + 1)  // Complex numbers.
    default: throw HDF5Damage("its header has a type of another kind")
    }
    return size
  }

  /// The bytes of an element of the named type whose header is at an address.
  func namedTypeBytes(_ address: Int) throws(HDF5Damage) -> Int {
    for message in try messages(at: address) where message.kind == 3 && !message.isShared {
      var cursor = HDF5Cursor(bytes, message.content)
      return try typeBytes(&cursor)
    }
    throw HDF5Damage("its header refers to a type where there is none")
  }

  // MARK: How numbers are stored

  private func checkFill(_ cursor: inout HDF5Cursor) throws(HDF5Damage) {
    let version = try cursor.number(1)
    let isDefined: Bool
    if version < 3 {
      try cursor.skip(2)
      isDefined = try cursor.number(1) != 0
    } else {
      isDefined = try cursor.number(1) & 0x20 != 0
    }
    if isDefined {
      // Negative sizes say that there is none.
      let size = Int32(truncatingIfNeeded: try cursor.number(4))
      try cursor.skip(max(0, Int(size)))
    }
  }

  private func checkFilters(_ cursor: inout HDF5Cursor) throws(HDF5Damage) {
    let (version, count) = (try cursor.number(1), try cursor.number(1))
    guard count <= 32 else { throw HDF5Damage("its header has \(count) filters") }
    if version == 1 { try cursor.skip(6) }
    for _ in 0..<count {
      let number = try cursor.number(2)
      let nameBytes = version == 1 || number >= 256 ? try cursor.number(2) : 0
      try cursor.skip(2)
      let parameters = try cursor.number(2)
      if nameBytes > 0 {
        var name = try cursor.part(nameBytes)
        try name.text()
      }
      try cursor.skip(4 * (version == 1 ? (parameters + 1) / 2 * 2 : parameters))
    }
  }

  private func checkExternalFiles(_ cursor: inout HDF5Cursor) throws(HDF5Damage) {
    try cursor.skip(4)
    let room = try cursor.number(2)
    let count = try cursor.number(2)
    guard count <= room else { throw HDF5Damage("its header has more files than it has room for") }
    let names = try localHeap(try cursor.number(8))
    _ = try name(0, in: names)
    for _ in 0..<count {
      _ = try name(try cursor.number(8), in: names)
      try cursor.skip(16)
    }
  }

  private func checkLayout(_ cursor: inout HDF5Cursor) throws(HDF5Damage) {
    let version = try cursor.number(1)
    guard (1...5).contains(version) else { throw HDF5Damage("its layout is of another version") }
    if version < 3 {
      let (rank, kind) = (try cursor.number(1), try cursor.number(1))
      guard rank <= 33 else { throw HDF5Damage("its layout has \(rank) extents") }
      try cursor.skip(5)
      let tree = kind == 0 ? -1 : try cursor.number(8)
      for _ in 0..<rank {
        guard try cursor.number(4) > 0 || kind != 2 else {
          throw HDF5Damage("its pieces are empty")
        }
      }
      if kind == 0 { try cursor.skip(try cursor.number(4)) }
      if kind == 2 { try checkPieces(tree, rank: rank) }
      return
    }
    switch try cursor.number(1) {
    case 0: try cursor.skip(try cursor.number(2))
    case 1: try cursor.skip(16)
    case 2 where version == 3:
      let rank = try cursor.number(1)
      let tree = try cursor.number(8)
      guard (1...33).contains(rank) else { throw HDF5Damage("its layout has \(rank) extents") }
      for _ in 0..<rank {
        guard try cursor.number(4) > 0 else { throw HDF5Damage("its pieces are empty") }
      }
      try checkPieces(tree, rank: rank)
    case 2:
      let flags = try cursor.number(1)
      let (rank, size) = (try cursor.number(1), try cursor.number(1))
      guard (1...33).contains(rank), (1...8).contains(size) else {
        throw HDF5Damage("its layout has \(rank) extents of \(size) bytes")
      }
      for _ in 0..<rank {
        guard try cursor.number(size) != 0 else { throw HDF5Damage("its pieces are empty") }
      }
      let parameters = [1: flags & 2 == 0 ? 0 : 12, 2: 0, 3: 1, 4: 5, 5: 6]
      guard let count = parameters[try cursor.number(1)] else {
        throw HDF5Damage("its pieces are found in another way")
      }
      try cursor.skip(count + 8)
    case 3:
      let (heap, number) = (try cursor.number(8), try cursor.number(4))
      if heap != -1 { try checkSources(heap, number) }
    default: throw HDF5Damage("its layout is of another kind")
    }
  }
}
