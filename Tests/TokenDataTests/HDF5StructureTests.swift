import CHDF5
import CHDF5Input
import Statistics
import TestSupport
import Foundation
import Testing
import TokenGrids

@testable import FileFormats
@testable import TokenData

/// Files whose structure lies, made by changing bytes of a file that the library wrote.
struct HDF5StructureTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("file.h5")
  }

  /// A file with tokens, and what `add` makes of it; the file is closed before its bytes are read.
  private func write(_ add: (hid_t) throws -> Void = { _ in }) throws -> [UInt8] {
    try randomDataset().write(to: path)
    try HDF5.locked {
      let file = H5Fopen(path, 1, token_h5_default())
      try #require(file >= 0)
      defer { H5Fclose(file) }
      try add(file)
    }
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func read(_ bytes: [UInt8]) throws -> TokenDataset {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try TokenDataset(contentsOf: path)
  }

  private func place(of pattern: [UInt8], in bytes: [UInt8]) throws -> Int {
    let places = bytes.indices.dropLast(pattern.count - 1).filter {
      bytes[$0] == pattern[0] && bytes[$0..<$0 + pattern.count].elementsEqual(pattern)
    }
    try #require(places.count == 1, "\(places.count) places")
    return places[0]
  }

  /// The whole sentence of a refusal.
  private func refusal(of bytes: [UInt8], _ what: String) -> String {
    let error = #expect(throws: TokenDataError.self, "\(what)") { try read(bytes) }
    return error?.description ?? ""
  }

  private func number(_ bytes: [UInt8], _ place: Int, _ count: Int = 8) -> Int {
    bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private func put(_ value: Int, _ bytes: inout [UInt8], _ place: Int, _ count: Int = 8) {
    for digit in 0..<count {
      bytes[place + digit] = UInt8(truncatingIfNeeded: value >> (8 * digit))
    }
  }

  // MARK: Headers

  /// The messages of attributes: HDF5 1.10 copies a name up to the next zero byte, and as many bytes of a value as its extents
  /// and type ask for.
  @Test func attributesThatReachBeyondTheirMessagesAreRefused() throws {
    let whole = try write()
    // Version 1: eight bytes, the name up to a multiple of eight, the type and the extents.
    let name = try place(of: Array("created_by\0".utf8), in: whole)
    let sizes = name - 6
    try #require(whole[name - 8] == 1 && number(whole, sizes, 2) == 11)
    let type = name + 16
    let space = type + (number(whole, sizes + 2, 2) + 7) / 8 * 8
    let changes: [(String, (inout [UInt8]) -> Void)] = [
      ("a name that does not end", { for i in 0..<11 { $0[name + i] = 0x61 } }),
      ("a name of no bytes", { put(0, &$0, sizes, 2) }),
      ("a long name", { put(0xFFFF, &$0, sizes, 2) }),
      ("a long type", { put(0x7000, &$0, sizes + 2, 2) }),
      ("short extents", { put(0, &$0, sizes + 4, 2) }),
      ("another version", { $0[name - 8] = 9 }),
      ("a large element", { put(1 << 20, &$0, type + 4, 4) }),
      ("no element", { put(0, &$0, type + 4, 4) }),
      ("many extents", { $0[space + 1] = 33 }),
      ("many elements", { $0[space + 1] = 1 }),
      ("a longer message", { put(0xFFF8, &$0, name - 14, 2) }),
    ]
    #expect(try read(whole).attributes.createdBy == "a test")
    for (what, change) in changes {
      var bytes = whole
      change(&bytes)
      let text = refusal(of: bytes, what)
      #expect(
        text.hasPrefix("\(path): the HDF5 file is truncated or damaged: "), "\(what): \(text)")
      #expect(
        text.contains("an attribute") || text.contains("a part of its header"), "\(what): \(text)")
    }
  }

  /// Types inside of types, up to their names.
  @Test func typesThatReachBeyondTheirMessagesAreRefused() throws {
    let whole = try write { file in
      let record = H5Tcreate(H5T_COMPOUND, 16)
      let choice = H5Tenum_create(token_h5_native_int64())
      var value: Int64 = 3
      H5Tenum_insert(choice, "CHOSEN", &value)
      H5Tinsert(record, "number", 0, token_h5_native_int64())
      H5Tinsert(record, "chosen", 8, choice)
      let space = H5Screate(H5S_SCALAR)
      let attribute = H5Acreate2(
        file, "record", record, space, token_h5_default(), token_h5_default())
      try #require(attribute >= 0)
      H5Aclose(attribute)
      H5Sclose(space)
      H5Tclose(record)
      H5Tclose(choice)
    }
    _ = try read(whole)
    let member = try place(of: Array("number\0".utf8), in: whole)
    let choice = try place(of: Array("CHOSEN\0".utf8), in: whole)
    let changes: [(String, (inout [UInt8]) -> Void)] = [
      ("many parts", { put(0xFFFF, &$0, member - 7, 2) }),
      ("a part outside", { put(12, &$0, member + 8, 4) }),
      // To the end of the file.
      ("a name that does not end", { for i in choice..<$0.count { $0[i] = 0x61 } }),
      ("another class", { $0[member - 8] = 0x1F }),
    ]
    for (what, change) in changes {
      var bytes = whole
      change(&bytes)
      _ = refusal(of: bytes, what)
    }
  }

  /// A header that continues in itself, or in a place that is not there.
  @Test func headersThatDoNotEndAreRefused() throws {
    let whole = try write { file in
      for number in 0..<30 {
        let space = H5Screate(H5S_SCALAR)
        H5Aclose(
          H5Acreate2(
            file, "attribute \(number)", token_h5_native_int64(), space, token_h5_default(),
            token_h5_default()))
        H5Sclose(space)
      }
    }
    _ = try read(whole)
    let root = number(whole, 64)
    var message = root + 16
    while number(whole, message, 2) != 0x10 { message += 8 + number(whole, message + 2, 2) }
    for (address, length) in [(root, number(whole, root + 8, 4) + 16), (1 << 40, 100), (-1, 8)] {
      var bytes = whole
      put(address, &bytes, message + 8)
      put(length, &bytes, message + 16)
      #expect(refusal(of: bytes, "continues at \(address)").contains("damaged"))
    }
    // Its own first block, for ever.
    var bytes = whole
    put(root + 16, &bytes, message + 8)
    put(number(whole, root + 8, 4), &bytes, message + 16)
    #expect(refusal(of: bytes, "continues in itself").contains("leads back to itself"))
  }

  @Test func filtersWithoutAnEndAreRefused() throws {
    let whole = try write()
    // Of version 1, where names stand in it.
    let name = try #require(
      whole.indices.first { whole[$0...].starts(with: Array("shuffle\0".utf8)) })
    var bytes = whole
    for i in 0..<8 { bytes[name + i] = 0x61 }
    #expect(refusal(of: bytes, "a name of a filter").contains("a name in its header does not end"))
    bytes = whole
    bytes[name - 15] = 32
    #expect(refusal(of: bytes, "many filters").contains("beyond its place"))
  }

  // MARK: Tables

  /// Trees that lead back to themselves, which the library follows until its stack ends, names that do not end in their heap and
  /// lists that go round.
  @Test func tablesThatGoRoundAreRefused() throws {
    let whole = try write()
    let trees = whole.indices.filter { whole[$0...].starts(with: Array("TREE".utf8)) }
    let root = number(whole, 80)
    let heap = number(whole, 88)
    #expect(trees.contains(root))
    let segment = number(whole, heap + 24)
    let size = number(whole, heap + 8)
    let free = number(whole, heap + 16)
    let changes: [(String, (inout [UInt8]) -> Void)] = [
      (
        "goes round",
        {
          $0[root + 5] = 1
          put(root, &$0, root + 32)
        }
      ),
      ("lead", { put(root, &$0, root + 32) }),
      ("no tree of its parts", { $0[root] = 0 }),
      ("outside its heap", { put(1 << 30, &$0, root + 24) }),
      ("does not end", { for i in 0..<size { $0[segment + i] = 0x61 } }),
      ("a list in its heap", { put(free, &$0, segment + free) }),
      ("beyond the end of the file", { put(1 << 40, &$0, heap + 24) }),
    ]
    try #require(free + 16 <= size, "nothing is free")
    for (what, change) in changes {
      var bytes = whole
      change(&bytes)
      let text = refusal(of: bytes, what)
      #expect(text.contains(what == "goes round" ? "back to itself" : what), "\(what): \(text)")
    }
    // Of pieces: one level less is a leaf, and no other.
    let pieces = try #require(trees.first { whole[$0 + 4] == 1 })
    var bytes = whole
    bytes[pieces + 5] = 1
    #expect(refusal(of: bytes, "a tree of pieces").contains("of its parts"))
  }

  /// Tables of pieces of later versions: HDF5 1.10 takes from elsewhere how many entries there are, and how long they are.
  @Test func tablesOfPiecesThatDoNotFitAreRefused() throws {
    let type = token_h5_native_uint16()
    /// A file of the later format with one dataset, without a limit along as many axes as are `growing`.
    func write(growing: Int, filtered: Bool) throws -> [UInt8] {
      try HDF5.locked {
        let access = H5Pcreate(token_h5_file_access())
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110)
        let file = H5Fcreate(path, token_h5_truncate(), token_h5_default(), access)
        let largest = (0..<2).map { $0 < growing ? token_h5_unlimited() : [8, 6][$0] }
        let space = H5Screate_simple(2, [7, 6], largest)
        let creation = H5Pcreate(token_h5_dataset_create())
        H5Pset_chunk(creation, 2, [2, 4])
        if filtered { H5Pset_deflate(creation, 6) }
        let dataset = H5Dcreate2(
          file, "numbers", type, space, token_h5_default(), creation, token_h5_default())
        let status = H5Dwrite(
          dataset, type, token_h5_all(), token_h5_all(), token_h5_default(),
          (0..<42).map { UInt16($0) })
        H5Dclose(dataset)
        H5Pclose(creation)
        H5Sclose(space)
        H5Fclose(file)
        H5Pclose(access)
        try #require(status >= 0)
      }
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    func numbers(_ bytes: [UInt8]) throws -> [UInt16]? {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      return try HDF5Group.openFile(path).dataset("numbers")?.readAll(as: UInt16.self)
    }
    for growing in 0...2 {
      for filtered in [false, true] {
        let whole = try write(growing: growing, filtered: filtered)
        #expect(try numbers(whole) == (0..<42).map { UInt16($0) })
        let table = try place(of: Array(["FAHD", "EAHD", "BTHD"][growing].utf8), in: whole)
        // Who uses it, and the bytes of an entry.
        let client = table + 5
        let entry = table + (growing == 2 ? 10 : 6)
        var changes = [(client, Int(whole[client]) ^ 1), (entry, Int(whole[entry]) + 1)]
        // Places for fewer than all eight pieces.
        if growing == 0 { changes.append((table + 8, 7)) }
        for (place, value) in changes {
          var bytes = whole
          bytes[place] = UInt8(value)
          // Its own checksum fits again, so that the library would believe it.
          let end = table + [24, 68, 34][growing]
          put(Int(hdf5Checksum(bytes[table..<end])), &bytes, end, 4)
          let error = #expect(throws: HDF5Damage.self, "\(growing) \(place - table)") {
            try numbers(bytes)
          }
          #expect(
            error?.description.contains("of another dataset") == true, "\(error.debugDescription)")
        }
      }
    }
  }

  /// Extents beyond their own limit, by which the places of pieces are counted.
  @Test func extentsBeyondTheirLimitsAreRefused() throws {
    let whole = try write()
    let structure = try HDF5Structure(path: path)
    guard case .object(let header) = try structure.target(of: "codes", from: structure.root) else {
      Issue.record("no header")
      return
    }
    let space = try #require(try structure.messages(at: header).first { $0.kind == 1 }).content
    let first = space.lowerBound + 8
    // Seven images of 3 rows and 4 columns, of which there may be more.
    try #require(number(whole, first + 8) == 3 && number(whole, first + 32) == 3)
    var bytes = whole
    put(4, &bytes, first + 8)
    #expect(refusal(of: bytes, "rows").contains("/codes: its extents are beyond their limits"))
  }

  /// What the library's own hash makes of a header is the reference.
  @Test func checksumsOfHeadersAreTheLibrarys() throws {
    try HDF5.locked {
      let access = H5Pcreate(token_h5_file_access())
      defer { H5Pclose(access) }
      H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110)
      for count in 0..<20 {
        let file = H5Fcreate(path, token_h5_truncate(), token_h5_default(), access)
        try #require(file >= 0)
        let group = H5Gcreate2(
          file, "a" + String(repeating: "b", count: count), token_h5_default(), token_h5_default(),
          token_h5_default())
        H5Gclose(group)
        H5Fclose(file)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(Int(hdf5Checksum(bytes[0..<44])) == number(bytes, 44, 4))
        let header = number(bytes, 36)
        try #require(bytes[header..<header + 4].elementsEqual("OHDR".utf8))
        // Flags: times, and the bytes of the length.
        let flags = Int(bytes[header + 5])
        let width = 1 << (flags & 3)
        let start = header + 6 + (flags & 0x20 == 0 ? 0 : 16) + (flags & 0x10 == 0 ? 0 : 4)
        let end = start + width + number(bytes, start, width)
        #expect(Int(hdf5Checksum(bytes[header..<end])) == number(bytes, end, 4), "\(count)")
      }
    }
  }

  // MARK: Numbers

  /// Adds a small dataset of 64-bit integers that is stored in the header itself.
  private func addCompact(_ file: hid_t, _ name: String, _ values: [Int64]) throws {
    let space = H5Screate_simple(1, [hsize_t(values.count)], nil)
    let creation = H5Pcreate(token_h5_dataset_create())
    H5Pset_layout(creation, H5D_COMPACT)
    let dataset = H5Dcreate2(
      file, name, token_h5_native_int64(), space, token_h5_default(), creation, token_h5_default())
    let status = H5Dwrite(
      dataset, token_h5_native_int64(), token_h5_all(), token_h5_all(), token_h5_default(), values)
    H5Dclose(dataset)
    H5Pclose(creation)
    H5Sclose(space)
    try #require(status >= 0)
  }

  /// The library copies as many bytes out of a header as the extents ask for.
  @Test func compactDatasetsShorterThanTheirExtentsAreRefused() throws {
    let values = (0..<7).map { Int64(0x1234_5678_9A00 + $0) }
    let whole = try write { try addCompact($0, "image_ids", (0..<7).map { Int64($0) }) }
    #expect(try read(whole).imageIDs == (0..<7).map { UInt32($0) })
    let marked = try write { try addCompact($0, "compact", values) }
    #expect(try HDF5Group.openFile(path).dataset("compact")?.readAll(as: Int64.self) == values)
    // The layout: version 3, class 0, the bytes, and the numbers.
    let first = (0..<8).map { UInt8(truncatingIfNeeded: values[0] >> (8 * $0)) }
    let content = try place(of: first, in: marked)
    try #require(number(marked, content - 4, 4) == 56 << 16 | 3)
    for (size, problem) in [
      (48, "takes 56 bytes, and 48 are stored"), (0, "takes 56 bytes, and 0 are stored"),
      (0xFFF0, "reaches beyond its place"),
    ] {
      var bytes = marked
      put(size, &bytes, content - 2, 2)
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: (any Error).self, "\(size)") {
        try HDF5Group.openFile(path).dataset("compact")?.readAll(as: Int64.self)
      }
      let text = (error as? HDF5Refusal)?.reason ?? error.map { "\($0)" } ?? ""
      #expect(text.contains(problem), "\(text)")
    }
  }

  /// Bits that lie outside their number: the library converts them unseen, over what stands beside them.
  @Test(arguments: [
    (false, 8, 12), (false, 10, 0), (false, 10, 65), (false, 10, 0xFFFF), (true, 8, 20),
    (true, 10, 0), (true, 10, 40), (true, 12, 30), (true, 13, 0), (true, 13, 200), (true, 14, 30),
    (true, 15, 0), (true, 15, 200), (true, 1, 0xFF << 8 | 0x20), (true, 4, 1 << 24),
  ])
  func hostileTypesOfNumbersAreRefused(isReal: Bool, offset: Int, value: Int) throws {
    let type = isReal ? token_h5_native_float() : token_h5_native_int64()
    let whole = try write { file in
      let space = H5Screate_simple(1, [3], nil)
      let dataset = H5Dcreate2(
        file, "numbers", type, space, token_h5_default(), token_h5_default(), token_h5_default())
      let status = H5Dwrite(
        dataset, isReal ? token_h5_native_float() : token_h5_native_int64(), token_h5_all(),
        token_h5_all(), token_h5_default(), [Int64](repeating: 0, count: 3))
      H5Dclose(dataset)
      H5Sclose(space)
      try #require(status >= 0)
    }
    let structure = try HDF5Structure(path: path)
    guard case .object(let header) = try structure.target(of: "numbers", from: structure.root)
    else {
      Issue.record("no header")
      return
    }
    let message = try #require(try structure.messages(at: header).first { $0.kind == 3 })
    var bytes = whole
    // Bytes 0...3 are the class and its flags, then the size and the places of bits.
    let place = message.content.lowerBound + offset
    put(value, &bytes, place, offset < 8 ? 3 : offset < 12 ? 2 : 1)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: (any Error).self) {
      try HDF5Group.openFile(path).dataset("numbers")?.readAll(as: Double.self)
    }
    #expect(error is HDF5Refusal || error is HDF5Failure || error is HDF5Damage)
  }

  /// A virtual dataset with extents, and a selection of them, far beyond its source: no memory is taken for them.
  @Test func virtualDatasetsBeyondTheirSourcesAreRefused() throws {
    let sizes = [7, 3, 4]
    let bytes = try write { file in
      H5Lmove(file, "codes", file, "stored", token_h5_default(), token_h5_default())
      let space = H5Screate_simple(3, sizes.map { hsize_t($0) }, nil)
      let creation = H5Pcreate(token_h5_dataset_create())
      H5Pset_virtual(creation, space, ".", "stored", space)
      let dataset = H5Dcreate2(
        file, "codes", token_h5_native_uint16(), space, token_h5_default(), creation,
        token_h5_default())
      H5Dclose(dataset)
      H5Pclose(creation)
      H5Sclose(space)
      try #require(dataset >= 0)
    }
    #expect(try read(bytes).codes == randomDataset().codes)
    let structure = try HDF5Structure(path: path)
    guard case .object(let header) = try structure.target(of: "codes", from: structure.root)
    else {
      Issue.record("no header")
      return
    }
    let messages = try structure.messages(at: header)
    let extents = try #require(messages.first { $0.kind == 1 }).content.lowerBound + 8
    try #require((0..<3).allSatisfy { number(bytes, extents + 8 * $0) == sizes[$0] })
    var damaged = bytes
    put(1 << 33, &damaged, extents)
    put(1 << 33, &damaged, extents + 24)
    let text = refusal(of: damaged, "large extents")
    #expect(text.contains("from /stored of ., which has 84") || text.contains("of its"), "\(text)")
    // The list of sources itself: its checksum is looked at before its names.
    let name = try place(of: Array(".\0stored\0".utf8), in: bytes)
    damaged = bytes
    damaged[name + 8] = 0x61
    #expect(refusal(of: damaged, "a name").contains("the checksum of the list of its sources"))
  }

  // MARK: Links

  /// Links in this file and to others, which are followed one by one so that each file is looked at first.
  @Test func linksAreFollowed() throws {
    let other = folder.file("other.h5")
    try randomDataset().write(to: other)
    _ = try write { file in
      let none = token_h5_default()
      H5Lcreate_soft("codes", file, "soft", none, none)
      H5Lcreate_soft("/decoder/./again", file, "softer", none, none)
      H5Lcreate_soft("/codes", file, "decoder/again", none, none)
      H5Lcreate_soft("/round", file, "round", none, none)
      H5Lcreate_external("other.h5", "/decoder/mean", file, "outside", none, none)
      H5Lcreate_external("other.h5", "decoder", file, "group", none, none)
      H5Lcreate_external("missing.h5", "/codes", file, "missing", none, none)
      H5Lcreate_external("file.h5", "/own", file, "own", none, none)
    }
    let root = try HDF5Group.openFile(path)
    let codes = try #require(try root.dataset("codes")).readAll(as: UInt32.self)
    #expect(try root.dataset("soft")?.readAll(as: UInt32.self) == codes)
    #expect(try root.dataset("softer")?.readAll(as: UInt32.self) == codes)
    #expect(try root.dataset("outside")?.readAll(as: Float.self) == [0.5])
    #expect(try root.group("group")?.dataset("basis")?.shape == [2, 3])
    for (name, problem) in [
      ("missing", "missing.h5, which cannot be found"), ("own", "cannot be found"),
      ("round", "cannot open /round"),
    ] {
      let error = #expect(throws: (any Error).self) { try root.dataset(name) }
      let text = (error as? HDF5Refusal)?.reason ?? error.map { "\($0)" } ?? ""
      #expect(text.contains(problem), "\(text)")
    }
    #expect(try root.dataset("absent") == nil)
    // Damage in the other file is found there.
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: other)))
    bytes[number(bytes, 80)] = 0
    try Data(bytes).write(to: URL(fileURLWithPath: other))
    #expect(throws: HDF5Damage.self) { try root.dataset("outside") }
  }

  // MARK: The driver that reads

  /// Asks the library for a file behind its superblock's back: what lies beyond the end is an error, and not zeros.
  @Test func readsBeyondTheEndFail() throws {
    try HDF5.locked {
      let file = H5Fcreate(path, token_h5_truncate(), token_h5_default(), token_h5_default())
      let space = H5Screate_simple(1, [1 << 12], nil)
      let dataset = H5Dcreate2(
        file, "numbers", token_h5_native_int64(), space, token_h5_default(), token_h5_default(),
        token_h5_default())
      let status = H5Dwrite(
        dataset, token_h5_native_int64(), token_h5_all(), token_h5_all(), token_h5_default(),
        [Int64](repeating: 5, count: 1 << 12))
      H5Dclose(dataset)
      H5Sclose(space)
      H5Fclose(file)
      try #require(status >= 0)
    }
    /// Reads all numbers with the driver alone, after the file became `count` bytes long while it was open.
    func read(cutTo count: Int?) throws -> herr_t {
      try HDF5.locked {
        let access = token_input_access()
        try #require(access >= 0)
        defer { H5Pclose(access) }
        let file = H5Fopen(path, token_h5_read_only(), access)
        try #require(file >= 0)
        defer { H5Fclose(file) }
        let dataset = H5Dopen2(file, "numbers", token_h5_default())
        defer { H5Dclose(dataset) }
        if let count { try #require(truncate(path, count) == 0) }
        var values = [Int64](repeating: 0, count: 1 << 12)
        let status = H5Dread(
          dataset, token_h5_native_int64(), token_h5_all(), token_h5_all(), token_h5_default(),
          &values)
        if status >= 0 { #expect(values.allSatisfy { $0 == 5 }) }
        return status
      }
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(try read(cutTo: nil) >= 0)
    for count in [whole.count - 1, whole.count / 2] {
      try whole.write(to: URL(fileURLWithPath: path))
      #expect(try read(cutTo: count) < 0, "\(count) bytes")
      // A file that is cut short already is not opened, by the driver nor by the check before it.
      HDF5.locked {
        let access = token_input_access()
        defer { H5Pclose(access) }
        #expect(H5Fopen(path, token_h5_read_only(), access) < 0)
      }
      let error = #expect(throws: HDF5Damage.self) { try HDF5Group.openFile(path) }
      #expect(
        error?.description == "it has \(count) bytes, and \(whole.count) are expected")
    }
    // It does not write, and says so of a file that is not there.
    HDF5.locked {
      let access = token_input_access()
      defer { H5Pclose(access) }
      #expect(H5Fopen(path, 1, access) < 0)
      #expect(H5Fopen(path + ".missing", token_h5_read_only(), access) < 0)
    }
    #expect(throws: HDF5Failure.self) { try HDF5Group.openFile(path + ".missing") }
  }
}
