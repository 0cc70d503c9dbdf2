import CHDF5
import FileFormats
import Foundation
import LinearAlgebra
import Statistics
import TokenData
import TokenGrids
import VisualTokenizers

extension FuzzedReader {
  /// Reads a token dataset as the programs do: its tokens, its labels and, where they are shown as pictures, one of them.
  private static func readDataset(_ path: String) throws {
    let dataset = try TokenDataset(contentsOf: path, centred: true)
    guard dataset.decoder != nil, dataset.imageCount > 0 else { return }
    let images = try TokenImages(of: dataset)
    _ = try images.image(0)
  }

  private static func codes(grid: TokenGrid, images: Int) throws -> TokenDataset {
    var rng = SeededGenerator(seed: 7)
    let codebook = FloatMatrix(
      rows: 20, columns: 2, elements: (0..<40).map { _ in Float(rng.nextUniform()) })
    return try TokenDataset(
      name: "f", grid: grid,
      tokens: .codes(
        (0..<images * grid.cellCount).map { _ in UInt32(rng.nextIndex(below: 20)) },
        codebook: codebook),
      labels: TokenLabels(
        values: (0..<images).map { UInt32($0 % 2) }, names: ["a", "another, longer name"]),
      imageIDs: (0..<images).map { UInt32($0 / 2) },
      attributes: TokenAttributes(tokenizer: "t", source: "s", license: "l", createdBy: "c"),
      decoder: TokenDecoderParameters(
        kind: PatchTokenizer.decoderKind,
        arrays: [
          "mean": .init(shape: [2, 2, 3], values: Array(repeating: 99, count: 12)),
          "basis": .init(
            shape: [2, 2, 2, 3], values: (0..<24).map { _ in Float(rng.nextUniform()) }),
        ]))
  }

  static func hdf5Codes(_ name: String, _ folder: String) throws -> FuzzedReader {
    let sets = [
      try codes(grid: TokenGrid(rows: 3, columns: 4), images: 9),
      try codes(grid: TokenGrid(frames: 2, rows: 2, columns: 2), images: 5),
    ]
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: try sets.map { set in try bytes(folder) { try set.write(to: $0) } },
      read: readDataset)
  }

  static func hdf5Features(_ name: String, _ folder: String) throws -> FuzzedReader {
    var rng = SeededGenerator(seed: 8)
    let set = try TokenDataset(
      name: "f", grid: TokenGrid(rows: 2, columns: 3),
      tokens: .features((0..<5 * 6 * 2).map { _ in Float(rng.nextUniform()) }, dimensions: 2))
    let wide = (0..<5 * 6 * 2).map { _ in 1e7 + rng.nextUniform() }
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: [
        try bytes(folder) { try set.write(to: $0) },
        try bytes(folder) { path in
          try HDF5Bytes.write(path) {
            try $0.add(
              "features", wide, token_h5_native_double(), [5, 2, 3, 2], chunk: [2, 2, 3, 2])
          }
        },
      ], read: readDataset)
  }

  /// Chunks behind every filter that is read, chunks behind none, and numbers in one piece or in the header.
  static func hdf5Filters(_ name: String, _ folder: String) throws -> FuzzedReader {
    let tokens = (0..<7 * 12).map { UInt16($0 % 20) }
    let codebook = (0..<40).map { Float($0) }
    func file(_ filters: [HDF5Bytes.Filter], _ chunk: [Int]?, isCompact: Bool = false) throws
      -> [UInt8]
    {
      try bytes(folder) { path in
        try HDF5Bytes.write(path) {
          try $0.add(
            "codes", tokens, token_h5_native_uint16(), [7, 3, 4], chunk: chunk, filters: filters,
            isCompact: isCompact)
          try $0.add(
            "codebook", codebook, token_h5_native_float(), [20, 2],
            chunk: chunk.map { _ in [8, 2] },
            filters: filters)
          try $0.add(
            "labels", (0..<7).map { Int64($0) }, token_h5_native_int64(), [7],
            chunk: chunk.map { _ in [3] }, filters: filters)
        }
      }
    }
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: [
        try file([], [2, 3, 4]), try file([.deflate], [3, 2, 3]),
        try file([.shuffle, .deflate, .checksum], [7, 3, 4]), try file([.checksum], [1, 3, 4]),
        try file([], nil), try file([], nil, isCompact: true),
      ], read: readDataset)
  }

  /// Headers with all that the library parses, of the first version and of later ones: attributes of nested and named types,
  /// links of each kind, and a virtual dataset.
  static func hdf5Headers(_ name: String, _ folder: String) throws -> FuzzedReader {
    func file(latest: Bool) throws -> [UInt8] {
      try bytes(folder) { path in
        try HDF5Bytes.write(path, latest: latest) {
          try $0.add(
            "stored", [UInt16](repeating: 1, count: 12), token_h5_native_uint16(), [3, 2, 2])
          try $0.add(
            "codebook", [Float](repeating: 1, count: 4), token_h5_native_float(), [2, 2],
            chunk: [1, 2], filters: [.shuffle, .deflate])
          try $0.addVirtual("codes", of: "stored", token_h5_native_uint16(), [3, 2, 2])
          try $0.addLinks()
          try $0.add("group/numbers", [Int64](0..<3), token_h5_native_int64(), [3])
          try $0.addAttributes()
        }
      }
    }
    return FuzzedReader(
      name, fileName: "f.h5", originals: [try file(latest: false), try file(latest: true)],
      repair: .hdf5Checksums
    ) {
      _ = try TokenDataset(contentsOf: $0)
    }
  }

  /// Names of classes of both of HDF5's kinds, in one piece and in chunks.
  static func hdf5Strings(_ name: String, _ folder: String) throws -> FuzzedReader {
    func file(_ add: (HDF5Bytes) throws -> Void) throws -> [UInt8] {
      try bytes(folder) { path in
        try HDF5Bytes.write(path) {
          try $0.add(
            "codes", [UInt16](repeating: 1, count: 12), token_h5_native_uint16(), [3, 2, 2])
          try $0.add("codebook", [Float](repeating: 1, count: 4), token_h5_native_float(), [2, 2])
          try $0.add("labels", [Int64](0..<3), token_h5_native_int64(), [3])
          try add($0)
        }
      }
    }
    let names = ["short", "a longer name of a class", "ééé"]
    return FuzzedReader(
      name, fileName: "f.h5",
      originals: [
        try file { try $0.add("label_names", names) },
        try file { try $0.add("label_names", names, chunk: 2) },
        try file {
          let padded = names.flatMap { name in
            Array(name.utf8) + Array(repeating: 0, count: 32 - name.utf8.count)
          }
          try $0.addFixed("label_names", padded, length: 32, chunk: 2)
        },
      ], read: readDataset)
  }
}

/// An HDF5 file that is being written by the library itself.
struct HDF5Bytes {
  enum Filter { case shuffle, deflate, checksum }

  private let file: hid_t

  static func write(
    _ path: String, latest: Bool = false, _ body: (HDF5Bytes) throws -> Void
  ) throws {
    let access = try check(H5Pcreate(token_h5_file_access()))
    defer { H5Pclose(access) }
    // Of 1.10, whatever comes later.
    if latest { try check(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110)) }
    let file = try check(H5Fcreate(path, token_h5_truncate(), token_h5_default(), access))
    defer { H5Fclose(file) }
    try body(HDF5Bytes(file: file))
  }

  @discardableResult
  private static func check<Status: SignedInteger>(_ status: Status) throws -> Status {
    guard status >= 0 else { throw OriginalError(description: "HDF5 cannot write") }
    return status
  }

  /// Adds numbers in one piece, in the header or in chunks.
  func add<Element>(
    _ name: String, _ values: [Element], _ type: hid_t, _ shape: [Int], chunk: [Int]? = nil,
    filters: [Filter] = [], isCompact: Bool = false
  ) throws {
    let space = try Self.check(H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil))
    defer { H5Sclose(space) }
    let creation = try Self.check(H5Pcreate(token_h5_dataset_create()))
    defer { H5Pclose(creation) }
    if isCompact { try Self.check(H5Pset_layout(creation, H5D_COMPACT)) }
    if let chunk {
      try Self.check(H5Pset_chunk(creation, Int32(chunk.count), chunk.map { hsize_t($0) }))
      for filter in filters {
        switch filter {
        case .shuffle: try Self.check(H5Pset_shuffle(creation))
        case .deflate: try Self.check(H5Pset_deflate(creation, 6))
        case .checksum: try Self.check(H5Pset_fletcher32(creation))
        }
      }
    }
    let dataset = try Self.check(
      H5Dcreate2(file, name, type, space, token_h5_default(), creation, token_h5_default()))
    defer { H5Dclose(dataset) }
    try values.withUnsafeBytes {
      _ = try Self.check(
        H5Dwrite(dataset, type, token_h5_all(), token_h5_all(), token_h5_default(), $0.baseAddress))
    }
  }

  /// Adds a dataset that is put together from another of this file.
  func addVirtual(_ name: String, of source: String, _ type: hid_t, _ shape: [Int]) throws {
    let space = try Self.check(H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil))
    defer { H5Sclose(space) }
    let creation = try Self.check(H5Pcreate(token_h5_dataset_create()))
    defer { H5Pclose(creation) }
    try Self.check(H5Pset_virtual(creation, space, ".", source, space))
    H5Dclose(
      try Self.check(
        H5Dcreate2(file, name, type, space, token_h5_default(), creation, token_h5_default())))
  }

  /// Adds a link to this file, one to another that is not there, and a group with some members.
  func addLinks() throws {
    let (none, group) = (
      token_h5_default(),
      try Self.check(
        H5Gcreate2(file, "group", token_h5_default(), token_h5_default(), token_h5_default()))
    )
    defer { H5Gclose(group) }
    try Self.check(H5Lcreate_soft("/group/numbers", file, "image_ids", none, none))
    try Self.check(H5Lcreate_external("missing.h5", "/x", file, "elsewhere", none, none))
    for number in 0..<12 {
      try Self.check(H5Lcreate_soft("/codes", group, "a longer name \(number)", none, none))
    }
  }

  /// Adds attributes of each kind of type to the file.
  func addAttributes() throws {
    let int = token_h5_native_int64()
    let text = H5Tcopy(token_h5_c_string())
    H5Tset_size(text, token_h5_variable())
    let list = H5Tvlen_create(int)
    let matrix = H5Tarray_create2(token_h5_native_float(), 2, [2, 3])
    let record = H5Tcreate(H5T_COMPOUND, 80)
    H5Tinsert(record, "number", 0, int)
    H5Tinsert(record, "matrix", 8, matrix)
    H5Tinsert(record, "text", 40, text)
    let choice = H5Tenum_create(int)
    var value: Int64 = 7
    for member in ["RED", "GREEN", "ANOTHER"] {
      H5Tenum_insert(choice, member, &value)
      value += 1
    }
    let opaque = H5Tcreate(H5T_OPAQUE, 6)
    H5Tset_tag(opaque, "tag")
    let named = H5Tcopy(record)
    try Self.check(
      H5Tcommit2(
        file, "named", named, token_h5_default(), token_h5_default(), token_h5_default()))
    let spaces = [H5Screate(H5S_SCALAR), H5Screate(H5S_NULL), H5Screate_simple(1, [3], nil)]
    for (place, type) in [int, text, list, matrix, record, choice, opaque, named].enumerated() {
      for (number, space) in spaces.enumerated() {
        H5Aclose(
          try Self.check(
            H5Acreate2(
              file, "a\(place) \(number)", type, space, token_h5_default(), token_h5_default())))
      }
    }
    for type in [text, list, matrix, record, choice, opaque, named] { H5Tclose(type) }
    for space in spaces { H5Sclose(space) }
  }

  /// Adds strings of variable length.
  func add(_ name: String, _ strings: [String], chunk: Int? = nil) throws {
    let type = try Self.check(H5Tcopy(token_h5_c_string()))
    defer { H5Tclose(type) }
    try Self.check(H5Tset_size(type, token_h5_variable()))
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try add(name, copies, type, [strings.count], chunk: chunk.map { [$0] })
  }

  /// Adds strings padded to one length.
  func addFixed(_ name: String, _ bytes: [UInt8], length: Int, chunk: Int) throws {
    let type = try Self.check(H5Tcopy(token_h5_c_string()))
    defer { H5Tclose(type) }
    try Self.check(H5Tset_size(type, length))
    try add(name, bytes, type, [bytes.count / length], chunk: [chunk], filters: [.deflate])
  }
}
