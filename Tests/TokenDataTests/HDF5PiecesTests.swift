import CHDF5
import Foundation
import TestSupport
import Testing
import TokenGrids

@testable import FileFormats
@testable import TokenData

/// Pieces of HDF5 datasets are decompressed by this project; the library's own reading is the slow, obvious reference, and
/// files that lie about their pieces are made with its raw writing.
struct HDF5PiecesTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("pieces.h5")
  }

  /// `H5F_ACC_RDWR`, a macro.
  private static let readWrite: UInt32 = 1

  enum Filter { case shuffle, deflate, checksum, lzf, scaleOffset }

  /// Makes a file with one dataset and hands both to `body`; chunks are written by the library or by `body`.
  func make(
    _ name: String = "codes", type: hid_t = token_h5_native_uint16(), shape: [Int], chunk: [Int],
    filters: [Filter] = [], leavesEdgesAlone: Bool = false, _ body: (hid_t) throws -> Void
  ) throws {
    // Not for several threads at once.
    try HDF5.locked {
      let exists = FileManager.default.fileExists(atPath: path)
      let file =
        exists
        ? H5Fopen(path, Self.readWrite, token_h5_default())
        : H5Fcreate(path, token_h5_truncate(), token_h5_default(), token_h5_default())
      try #require(file >= 0)
      defer { H5Fclose(file) }
      // Only what can grow may be smaller than a piece.
      let largest = shape.map { _ in token_h5_unlimited() }
      let space = H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, largest)
      let creation = H5Pcreate(token_h5_dataset_create())
      H5Pset_chunk(creation, Int32(chunk.count), chunk.map { hsize_t($0) })
      if leavesEdgesAlone { H5Pset_chunk_opts(creation, token_h5_leaves_edges_unfiltered()) }
      for filter in filters {
        switch filter {
        case .shuffle: H5Pset_shuffle(creation)
        case .deflate: H5Pset_deflate(creation, 6)
        case .checksum: H5Pset_fletcher32(creation)
        case .scaleOffset: H5Pset_scaleoffset(creation, H5Z_SO_INT, 0)
        // Optional: the library does not have it.
        case .lzf: H5Pset_filter(creation, 32000, 1, 0, nil)
        }
      }
      let dataset = H5Dcreate2(
        file, name, type, space, token_h5_default(), creation, token_h5_default())
      try #require(dataset >= 0)
      defer {
        H5Dclose(dataset)
        H5Pclose(creation)
        H5Sclose(space)
      }
      try body(dataset)
    }
  }

  private func write<Value>(_ dataset: hid_t, _ values: [Value], _ type: hid_t) throws {
    let status = H5Dwrite(
      dataset, type, token_h5_all(), token_h5_all(), token_h5_default(), values)
    try #require(status >= 0)
  }

  private func writePiece(_ dataset: hid_t, _ bytes: [UInt8], at place: [Int], mask: UInt32 = 0)
    throws
  {
    let status = H5Dwrite_chunk(
      dataset, token_h5_default(), mask, place.map { hsize_t($0) }, bytes.count, bytes)
    try #require(status >= 0)
  }

  /// All numbers as the library itself reads them.
  private func reference<Element: HDF5Number>(_ name: String, count: Int, zero: Element) throws
    -> [Element]
  {
    try HDF5.locked {
      let file = H5Fopen(path, token_h5_read_only(), token_h5_default())
      defer { H5Fclose(file) }
      let dataset = H5Dopen2(file, name, token_h5_default())
      defer { H5Dclose(dataset) }
      var values = [Element](repeating: zero, count: count)
      let status = H5Dread(
        dataset, Element.nativeType, token_h5_all(), token_h5_all(), token_h5_default(), &values)
      try #require(status >= 0)
      return values
    }
  }

  @Test(
    arguments: [
      [], [.deflate], [.shuffle], [.shuffle, .deflate], [.checksum],
      [.shuffle, .deflate, .checksum],
      [.checksum, .deflate],
    ] as [[Filter]])
  func everyRunOfRowsEqualsTheLibrarys(filters: [Filter]) throws {
    let shape = [7, 5, 6]
    let count = shape.reduce(1, *)
    let whole = (0..<count).map { UInt16($0 * 7 % 251) }
    let real = (0..<count).map { Double($0) / 3 - 20 }
    // Pieces that cover rows, that end inside and beyond them, and larger than everything.
    for (number, chunk) in [[2, 5, 6], [3, 2, 4], [1, 5, 1], [9, 8, 7]].enumerated() {
      for leavesEdgesAlone in [false, true] {
        let name = "n\(number)\(leavesEdgesAlone)"
        try make(
          "whole" + name, shape: shape, chunk: chunk, filters: filters,
          leavesEdgesAlone: leavesEdgesAlone
        ) { try write($0, whole, token_h5_native_uint16()) }
        try make(
          "real" + name, type: token_h5_native_double(), shape: shape, chunk: chunk,
          filters: filters, leavesEdgesAlone: leavesEdgesAlone
        ) { try write($0, real, token_h5_native_double()) }
        let wide = try reference("whole" + name, count: count, zero: UInt32(0))
        let narrow = try reference("real" + name, count: count, zero: Float(0))
        let root = try HDF5Group.openFile(path)
        let wholes = try #require(try root.dataset("whole" + name))
        let reals = try #require(try root.dataset("real" + name))
        for rows in [0..<7, 0..<1, 2..<5, 6..<7, 3..<3, 1..<7] {
          let range = rows.lowerBound * 30..<rows.upperBound * 30
          #expect(try wholes.read(rows: rows, as: UInt32.self) == Array(wide[range]))
          #expect(try wholes.read(rows: rows, as: UInt16.self) == Array(whole[range]))
          #expect(try reals.read(rows: rows, as: Float.self) == Array(narrow[range]))
          #expect(try reals.read(rows: rows, as: Double.self) == Array(real[range]))
        }
      }
    }
  }

  /// A piece that did not shrink may have been stored without a filter, which its mask says.
  @Test func filtersThatAPieceSkippedAreSkipped() throws {
    try make(shape: [4], chunk: [2], filters: [.shuffle, .deflate]) {
      try writePiece($0, [1, 0, 2, 0], at: [0], mask: 3)
      try writePiece($0, [3, 4, 0, 0], at: [2], mask: 2)
    }
    let codes = try #require(try HDF5Group.openFile(path).dataset("codes"))
    #expect(try codes.readAll(as: UInt16.self) == [1, 2, 3, 4])
  }

  /// What h5py's `compression="lzf"` writes: runs of bytes as they are, and repetitions.
  @Test func lzfIsRead() throws {
    try make(shape: [2, 8], chunk: [1, 8], filters: [.lzf]) {
      // Two bytes, then fourteen from two bytes ago.
      try writePiece($0, [1, 9, 0, 7 << 5, 5, 1], at: [0, 0])
      // Sixteen as they are.
      try writePiece($0, [15] + (0..<16).map { UInt8($0) }, at: [1, 0])
    }
    let codes = try #require(try HDF5Group.openFile(path).dataset("codes"))
    let repeated = [UInt16](repeating: 0x0009, count: 8)
    // 0x0100, 0x0302 and so on.
    let plain = (0..<8).map { UInt16(0x0100 + 0x0202 * $0) }
    #expect(try codes.readAll(as: UInt16.self) == repeated + plain)
  }

  static let deflated: [UInt8] = [0x78, 0x01, 0x01, 4, 0, 0xFB, 0xFF, 1, 0, 2, 0, 0, 0x0C, 0, 4]

  /// Pieces that are stored, or expand, shorter or longer than their shape needs: HDF5 1.10 reads behind their end.
  @Test(
    arguments: [
      ([.deflate], deflated, "expands to 4"),
      ([.deflate], Array(deflated.dropLast(5)), "expands to more, or to nothing"),
      ([.deflate], [UInt8](repeating: 0xFF, count: 16), "expands to more, or to nothing"),
      (
        [.deflate], [0x78, 0xDA, 0x63, 0x60, 0x18, 0x05, 0xA3, 0x00, 0x00],
        "expands to more, or to nothing"
      ),
      ([.lzf], [0, 1], "expands to 1"),
      ([.lzf], [255, 255, 255], "expands to more, or to nothing"),
      ([.lzf], [0, 1, 7 << 5, 100, 0], "expands to more, or to nothing"),
      ([.shuffle], [1, 2, 3], "3 are stored"),
      ([.shuffle], [UInt8](repeating: 1, count: 99), "99 are stored"),
      ([.checksum], [1, 2], "2 are stored"),
      ([.checksum], [UInt8](repeating: 1, count: 20), "their checksum does not fit"),
      ([], [1, 2, 3], "fewer are stored"),
      ([], [UInt8](repeating: 0xA5, count: 15), "fewer are stored"),
    ] as [([Filter], [UInt8], String)])
  func piecesOfAnotherSizeAreRefused(filters: [Filter], stored: [UInt8], problem: String) throws {
    try make(shape: [2, 2, 4], chunk: [1, 2, 4], filters: filters) {
      try writePiece($0, stored, at: [0, 0, 0])
      // The sizes of all pieces together give nothing away.
      try writePiece(
        $0, filters.isEmpty ? [UInt8](repeating: 0, count: 64) : stored, at: [1, 0, 0])
    }
    try make("codebook", type: token_h5_native_float(), shape: [2, 1], chunk: [2, 1]) {
      try write($0, [0, 1] as [Float], token_h5_native_float())
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    let text = try #require(error?.description)
    #expect(
      text.contains("pieces.h5: /codes is damaged: its piece at (0, 0, 0) takes 16 bytes, but")
        && text.contains(problem), "\(text)")
  }

  /// A file of two megabytes that claims two gigabytes: no memory is taken for them.
  @Test(arguments: ["codes", "features"]) func whatInflatesTooFarIsRefused(name: String) throws {
    let stored = try FixedBytes.deflatedZeros(count: 1 << 22)
    try make(
      name, type: token_h5_native_float(), shape: [512, 1024, 1024, 1], chunk: [1, 1024, 1024, 1],
      filters: [.deflate]
    ) { dataset in
      for row in 0..<512 { try writePiece(dataset, stored, at: [row, 0, 0, 0]) }
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(
      error?.description.contains(
        "/\(name) has the shape (512, 1024, 1024, 1) and claims to be 2147483648 bytes, compressed to"
      ) == true,
      "\(error?.description ?? "")")
  }

  @Test func otherFiltersAreNamed() throws {
    try make(shape: [4, 2, 2], chunk: [4, 2, 2], filters: [.scaleOffset]) {
      try write($0, (0..<16).map { UInt16($0) }, token_h5_native_uint16())
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(
      error?.description.contains(
        "/codes is compressed with the filter scaleoffset (6), which is not read; write it with compression=\"gzip\""
      )
        == true, "\(error?.description ?? "")")
  }

  // MARK: Text

  /// A file with names of classes, after its bytes were changed.
  private func readNames(_ change: (inout [UInt8], _ heap: Int) -> Void) throws -> [String]? {
    try randomDataset().write(to: path)
    let url = URL(fileURLWithPath: path)
    var bytes = [UInt8](try Data(contentsOf: url))
    let name = Array("ailleurs, là-bas".utf8)
    let place = try #require(
      bytes.indices.first { bytes[$0...].starts(with: name) })
    change(&bytes, place - 16)
    try Data(bytes).write(to: url)
    return try TokenDataset(contentsOf: path).labels?.names
  }

  /// Objects of no size are read by HDF5 1.10 for ever, and longer ones than their reference says are copied over memory.
  @Test func heapsThatLieAreRefused() throws {
    #expect(try readNames { _, _ in } == ["hier", "ailleurs, là-bas"])
    let changes: [(String, (inout [UInt8], Int) -> Void)] = [
      ("shorter than the name", { $0[$1 + 8] = 3 }),
      ("beyond the heap", { for i in 8..<16 { $0[$1 + i] = 0x7F } }),
      ("negative", { for i in 8..<16 { $0[$1 + i] = 0xFF } }),
      ("another number", { $0[$1] = 0x55 }),
      ("no size", { for i in 8..<16 { $0[$1 + i] = 0 } }),
    ]
    for (what, change) in changes {
      let error = #expect(throws: TokenDataError.self, "\(what)") {
        try readNames(change)
      }
      #expect(
        error?.description.contains("refers to text at") == true,
        "\(what): \(error.debugDescription)")
    }
  }
}

private enum FixedBytes {
  /// A zlib stream of zeros, made by the library's own filter.
  static func deflatedZeros(count: Int) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    return try HDF5.locked {
      let file = H5Fcreate(
        folder.file("zeros.h5"), token_h5_truncate(), token_h5_default(), token_h5_default())
      defer { H5Fclose(file) }
      let space = H5Screate_simple(1, [hsize_t(count / 2)], nil)
      let creation = H5Pcreate(token_h5_dataset_create())
      H5Pset_chunk(creation, 1, [hsize_t(count / 2)])
      H5Pset_deflate(creation, 9)
      let dataset = H5Dcreate2(
        file, "zeros", token_h5_native_uint16(), space, token_h5_default(), creation,
        token_h5_default())
      defer {
        H5Dclose(dataset)
        H5Pclose(creation)
        H5Sclose(space)
      }
      let zeros = [UInt16](repeating: 0, count: count / 2)
      H5Dwrite(
        dataset, token_h5_native_uint16(), token_h5_all(), token_h5_all(), token_h5_default(), zeros
      )
      H5Dflush(dataset)
      var (size, mask): (hsize_t, UInt32) = (0, 0)
      H5Dget_chunk_storage_size(dataset, [0], &size)
      var bytes = [UInt8](repeating: 0, count: Int(size))
      try #require(H5Dread_chunk(dataset, token_h5_default(), [0], &mask, &bytes) >= 0)
      return bytes
    }
  }
}
