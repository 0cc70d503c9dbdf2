/// Tables of the members of groups and of the pieces of datasets: trees of version 1, which the library follows unseen.
extension HDF5Structure {
  /// A group's link that stands in its header.
  func link(_ cursor: inout HDF5Cursor) throws(HDF5Damage) -> (String, Link) {
    guard try cursor.number(1) == 1 else { throw HDF5Damage("a link is of another version") }
    let flags = try cursor.number(1)
    let kind = flags & 8 == 0 ? 0 : try cursor.number(1)
    try cursor.skip((flags & 4 == 0 ? 0 : 8) + (flags & 0x10 == 0 ? 0 : 1))
    let name = try cursor.text(bytes: try cursor.number(1 << (flags & 3)))
    switch kind {
    case 0: return (name, .object(try cursor.number(8)))
    case 1: return (name, .path(try cursor.text(bytes: try cursor.number(2))))
    case 64:
      var value = try cursor.part(try cursor.number(2))
      try value.skip(1)
      return (name, .external(file: try value.text(), path: try value.text()))
    default:
      try cursor.skip(try cursor.number(2))
      return (name, .other)
    }
  }

  func checkLinkInfo(_ cursor: inout HDF5Cursor, members: inout Members) throws(HDF5Damage) {
    try cursor.skip(1)
    let flags = try cursor.number(1)
    if flags & 1 != 0 { try cursor.skip(8) }
    members.areIncomplete = try cursor.number(8) != -1
    try cursor.skip(flags & 2 == 0 ? 8 : 16)
  }

  // MARK: Symbol tables

  /// The members of a group of the first kind, whose names stand in a heap.
  func tableOfMembers(tree: Int, heap: Int) throws(HDF5Damage) -> [(String, Link)] {
    let names = try localHeap(heap)
    var members: [(String, Link)] = []
    try visit(tree, kind: 0, keyBytes: 8) { [self] (key, child) throws(HDF5Damage) in
      var key = key
      _ = try name(try key.number(8), in: names)
      guard let child else { return }
      let start = try place(child, 8)
      guard bytes[start..<start + 4].elementsEqual("SNOD".utf8) else {
        throw HDF5Damage("its table of members leads to something else")
      }
      var node = HDF5Cursor(bytes, start + 6..<bytes.count)
      for _ in 0..<(try node.number(2)) {
        let member = try name(try node.number(8), in: names)
        let header = try node.number(8)
        let kind = try node.number(4)
        try node.skip(4)
        var scratch = try node.part(16)
        if kind == 2 {
          members.append((member, .path(try name(try scratch.number(4), in: names))))
        } else {
          members.append((member, .object(header)))
        }
      }
    }
    return members
  }

  /// The bytes of a heap of names.
  func localHeap(_ address: Int) throws(HDF5Damage) -> Range<Int> {
    let start = try place(address, 32)
    guard bytes[start..<start + 4].elementsEqual("HEAP".utf8), bytes[start + 4] == 0 else {
      throw HDF5Damage("there is no heap of names at \(address)")
    }
    var cursor = HDF5Cursor(bytes, start + 8..<start + 32)
    let (size, free) = (try cursor.number(8), try cursor.number(8))
    let segment = try place(try cursor.number(8), size)
    // What is free is a list, which the library follows to its end; 1 is the end.
    var (block, left) = (free, size / 16)
    while block != 1 {
      guard left > 0, block >= 0, block <= size - 16 else {
        throw HDF5Damage("a list in its heap of names does not end")
      }
      left -= 1
      var entry = HDF5Cursor(bytes, segment + block..<segment + size)
      block = try entry.number(8)
    }
    return segment..<segment + size
  }

  /// A name of a heap.
  func name(_ offset: Int, in heap: Range<Int>) throws(HDF5Damage) -> String {
    guard offset >= 0, offset < heap.count else {
      throw HDF5Damage("a name lies outside its heap")
    }
    var cursor = HDF5Cursor(bytes, heap.lowerBound + offset..<heap.upperBound)
    return try cursor.text()
  }

  // MARK: Trees

  /// Makes sure that the tree of a dataset's pieces is one.
  func checkPieces(_ tree: Int, rank: Int) throws(HDF5Damage) {
    // Nothing was written yet.
    guard tree != -1 else { return }
    try visit(tree, kind: 1, keyBytes: 8 + 8 * rank)
  }

  /// Visits a tree of version 1: the keys of each node, and the children of its leaves.
  ///
  /// - Throws: ``HDF5Damage`` where a node is no node of one level less than the one above, or is met twice.
  private func visit(
    _ root: Int, kind: Int, keyBytes: Int,
    _ body: ((_ key: HDF5Cursor, _ child: Int?) throws(HDF5Damage) -> Void)? = nil
  ) throws(HDF5Damage) {
    var seen: Set<Int> = []
    var left: [(address: Int, level: Int?)] = [(root, nil)]
    while let (address, expected) = left.popLast() {
      let start = try place(address, 24)
      guard bytes[start..<start + 4].elementsEqual("TREE".utf8), Int(bytes[start + 4]) == kind
      else { throw HDF5Damage("there is no tree of its parts at \(address)") }
      let level = Int(bytes[start + 5])
      guard level == expected ?? level, seen.insert(address).inserted else {
        throw HDF5Damage("the tree of its parts leads back to itself")
      }
      var cursor = HDF5Cursor(bytes, start + 6..<bytes.count)
      let count = try cursor.number(2)
      try cursor.skip(16)
      guard level > 0 || body != nil else {
        try cursor.skip(count * (keyBytes + 8) + keyBytes)
        continue
      }
      for _ in 0..<count {
        let key = try cursor.part(keyBytes)
        let child = try cursor.number(8)
        if level > 0 { left.append((child, level - 1)) }
        try body?(key, level > 0 ? nil : child)
      }
      // An empty one has no last key.
      if count > 0 { try body?(try cursor.part(keyBytes), nil) }
    }
  }

  /// Makes sure that the table of a dataset's pieces is of as many extents as the dataset, has a place for each piece, and
  /// entries of the length that its filters ask for: the library takes all three from elsewhere.
  func checkIndex(_ messages: [Message]) throws(HDF5Damage) {
    // Those that are shared stand in heaps, in files that nobody was seen to write.
    func content(_ kind: Int) -> HDF5Cursor? {
      messages.last { $0.kind == kind && !$0.isShared }.map { HDF5Cursor(bytes, $0.content) }
    }
    guard var layout = content(8), var space = content(1) else { return }
    let version = try layout.number(1)
    var rank = version < 3 ? try layout.number(1) : 0
    guard try layout.number(1) == 2 else { return }
    if version > 3 { try layout.skip(1) }
    if version >= 3 { rank = try layout.number(1) }
    let spaceVersion = try space.number(1)
    let spaceRank = try space.number(1)
    guard spaceRank == rank - 1 else {
      throw HDF5Damage("its pieces have \(rank - 1) extents, and it has \(spaceRank)")
    }
    // The first versions are trees, whose keys are as long as these extents say; later ones than 4 are not known here.
    guard version == 4 else { return }
    let hasLimits = try space.number(1) & 1 != 0
    try space.skip(spaceVersion == 1 ? 5 : 1)
    if hasLimits { try space.skip(8 * spaceRank) }
    let size = try layout.number(1)
    var (places, pieceBytes): (Int?, Int?) = (1, 1)
    for axis in 0..<rank {
      let extent = try layout.number(size)
      pieceBytes = pieceBytes.flatMap { checkedProduct([$0, extent]) }
      guard axis < spaceRank else { continue }
      let limit = try space.number(8)
      let count = limit > 0 && extent > 0 ? (limit - 1) / extent + 1 : 0
      places = limit < 0 ? nil : places.flatMap { checkedProduct([$0, count]) }
    }
    guard let pieceBytes, pieceBytes > 0 else { throw HDF5Damage("its pieces are too large") }
    var isFiltered = false
    if var filters = content(0x0B) {
      try filters.skip(1)
      isFiltered = try filters.number(1) > 0
    }
    // An address; behind filters also the bytes of the piece, which may be one digit longer, and which were skipped.
    let digits = min(8, 1 + (Int.bitWidth - 1 - pieceBytes.leadingZeroBitCount + 8) / 8)
    let entryBytes = isFiltered ? 8 + digits + 4 : 8
    let kind = try layout.number(1)
    guard let parameterBytes = [3: 1, 4: 5, 5: 6][kind] else { return }
    try layout.skip(parameterBytes)
    let address = try layout.number(8)
    guard address != -1 else { return }
    let start = try place(address, 32)
    let signature = [3: "FAHD", 4: "EAHD", 5: "BTHD"][kind] ?? ""
    guard bytes[start..<start + 4].elementsEqual(signature.utf8) else {
      throw HDF5Damage("there is no table of its pieces")
    }
    var header = HDF5Cursor(bytes, start + 5..<start + 32)
    let user = try header.number(1)
    let isWhole: Bool
    if kind == 5 {
      try header.skip(4)
      isWhole = try header.number(2) == entryBytes + 8 * spaceRank && user == (isFiltered ? 11 : 10)
    } else {
      var fits = try header.number(1) == entryBytes && user == (isFiltered ? 1 : 0)
      try header.skip(1)
      // Others grow.
      if kind == 3 {
        let room = try header.number(8)
        fits = fits && places ?? .max <= room
      }
      isWhole = fits
    }
    guard isWhole else { throw HDF5Damage("the table of its pieces is that of another dataset") }
  }

  // MARK: Virtual datasets

  /// Makes sure that the list of a virtual dataset's sources is what was written: the library parses it, with its names,
  /// before it looks at the checksum behind it.
  func checkSources(_ address: Int, _ number: Int) throws(HDF5Damage) {
    let list: ArraySlice<UInt8>
    do {
      list = try HDF5Heap(file: file, base: base, what: "").object(number, at: address)
    } catch {
      throw HDF5Damage("there is no list of its sources")
    }
    let sum = list.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard list.count >= 4, hdf5Checksum(list.dropLast(4)) == sum else {
      throw HDF5Damage("the checksum of the list of its sources does not fit")
    }
  }
}

/// HDF5's checksum of what describes its objects: Bob Jenkins' lookup3, `hashlittle` with 0 to begin with.
package func hdf5Checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
  func turned(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }
  var left = bytes[...]
  let start = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: bytes.count)
  var (a, b, c) = (start, start, start)
  func word() -> UInt32 {
    let word = left.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    left = left.dropFirst(4)
    return word
  }
  guard !bytes.isEmpty else { return c }
  while left.count > 12 {
    a &+= word()
    b &+= word()
    c &+= word()
    a = (a &- c) ^ turned(c, 4)
    c &+= b
    b = (b &- a) ^ turned(a, 6)
    a &+= c
    c = (c &- b) ^ turned(b, 8)
    b &+= a
    a = (a &- c) ^ turned(c, 16)
    c &+= b
    b = (b &- a) ^ turned(a, 19)
    a &+= c
    c = (c &- b) ^ turned(b, 4)
    b &+= a
  }
  a &+= word()
  b &+= word()
  c &+= word()
  c = (c ^ b) &- turned(b, 14)
  a = (a ^ c) &- turned(c, 11)
  b = (b ^ a) &- turned(a, 25)
  c = (c ^ b) &- turned(b, 16)
  a = (a ^ c) &- turned(c, 4)
  b = (b ^ a) &- turned(a, 14)
  return (c ^ b) &- turned(b, 24)
}
