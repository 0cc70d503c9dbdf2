import CHDF5

/// A dataset of an HDF5 file: an array of numbers or strings whose first extent is read in runs.
package struct HDF5Dataset: Sendable {
  /// What the elements are.
  package enum Kind: Sendable {
    case unsignedInteger(bytes: Int)
    case signedInteger(bytes: Int)
    case floatingPoint(bytes: Int)
    case string
    case other

    /// Whether the elements are whole numbers.
    package var isInteger: Bool {
      switch self {
      case .unsignedInteger, .signedInteger: true
      default: false
      }
    }

    /// Whether the elements can be read as `Float`.
    package var isNumber: Bool {
      if case .floatingPoint = self { true } else { isInteger }
    }

    /// Whether single precision may not hold the numbers as they are.
    package var isWiderThanFloat: Bool {
      switch self {
      case .unsignedInteger(let bytes), .signedInteger(let bytes): bytes >= 4
      case .floatingPoint(let bytes): bytes > 4
      case .string, .other: false
      }
    }
  }

  /// The name inside its group.
  package let name: String
  /// The extents; the first counts the rows.
  package let shape: [Int]
  /// What the elements are.
  package let kind: Kind
  /// How many rows are stored together, or nil where the array is stored in one piece.
  package let rowsPerChunk: Int?

  private let handle: HDF5Handle
  /// The pieces it is stored in; nil where it is stored in one, or put together from others.
  let pieces: HDF5Pieces?
  /// The library's identifier.
  var id: hid_t { handle.id }
  private var action: String { "read /\(name)" }

  /// Looks at a dataset that was just opened.
  init(name: String, handle: HDF5Handle) throws {
    let action = "read /\(name)"
    self.name = name
    self.handle = handle
    let space = try HDF5Handle(H5Dget_space(handle.id), closing: H5Sclose, action)
    let rank = try HDF5.check(H5Sget_simple_extent_ndims(space.id), action)
    var extents = [hsize_t](repeating: 0, count: Int(rank))
    try HDF5.check(H5Sget_simple_extent_dims(space.id, &extents, nil), action)
    shape = extents.map { Int(clamping: $0) }

    let type = try HDF5Handle(H5Dget_type(handle.id), closing: H5Tclose, action)
    let bytes = H5Tget_size(type.id)
    switch H5Tget_class(type.id) {
    case H5T_INTEGER where H5Tget_sign(type.id) == H5T_SGN_NONE:
      kind = .unsignedInteger(bytes: bytes)
    case H5T_INTEGER: kind = .signedInteger(bytes: bytes)
    case H5T_FLOAT: kind = .floatingPoint(bytes: bytes)
    case H5T_STRING: kind = .string
    default: kind = .other
    }

    let layout = try HDF5Handle(H5Dget_create_plist(handle.id), closing: H5Pclose, action)
    let isChunked = H5Pget_layout(layout.id) == H5D_CHUNKED && rank > 0
    pieces =
      isChunked
      ? try HDF5Pieces(
        handle, name: name, shape: shape, elementBytes: bytes, creation: layout.id, action) : nil
    rowsPerChunk = pieces?.extents[0]
  }

  /// The first extent.
  package var rowCount: Int { shape.first ?? 0 }

  /// How many numbers one row holds.
  package var elementsPerRow: Int { shape.dropFirst().reduce(1, *) }

  /// Reads a run of rows, converted to `Element`, row-major.
  package func read<Element: HDF5Number>(rows: Range<Int>, as _: Element.Type) throws -> [Element] {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "the rows exist")
    return try HDF5.locked {
      let count = try allocation(rows: rows.count, bytesEach: MemoryLayout<Element>.size)
      return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        if count > 0 {
          if let pieces {
            let type = try HDF5Handle(H5Dget_type(handle.id), closing: H5Tclose, action)
            try pieces.read(rows: rows, into: buffer, storedAs: type.id, action)
          } else {
            let (memory, file) = try spaces(forRows: rows)
            try HDF5.check(
              H5Dread(
                handle.id, Element.nativeType, memory.id, file.id, token_h5_default(),
                buffer.baseAddress), action)
          }
        }
        initialized = count
      }
    }
  }

  /// How many numbers so many rows hold, which is checked before memory is taken for them.
  private func allocation(rows: Int, bytesEach: Int) throws -> Int {
    do throws(FileClaim.Refusal) {
      return try FileClaim.bytes([rows] + shape.dropFirst(), each: bytesEach) / bytesEach
    } catch {
      throw HDF5Refusal(dataset: name, reason: error.description)
    }
  }

  /// Reads all numbers of a small array, converted to `Element`, row-major.
  ///
  /// - Throws: ``HDF5Refusal`` where there are more than ``largestArray``, or ``HDF5Failure``.
  package func readAll<Element: HDF5Number>(as type: Element.Type) throws -> [Element] {
    try requireModestSize()
    return try read(rows: 0..<rowCount, as: type)
  }

  /// Reads all strings of a list.
  package func readStrings() throws -> [String] {
    try HDF5.locked {
      let type = try HDF5Handle(H5Dget_type(handle.id), closing: H5Tclose, action)
      guard let count = checkedProduct(shape) else {
        throw HDF5Refusal(dataset: name, reason: FileClaim.Refusal.impossible.description)
      }
      // These the library reads itself.
      try pieces?.checkAll()
      return try FileFormats.readStrings(
        count: count, storedAs: type, of: handle.id, what: name, action
      ) { H5Dread(handle.id, $0, token_h5_all(), token_h5_all(), token_h5_default(), $1) }
    }
  }

  /// Appends rows to a dataset that can grow and holds `rowCount` rows so far.
  package func append<Element: HDF5Number>(_ values: [Element], after rowCount: Int) throws {
    let added = values.count / elementsPerRow
    precondition(added * elementsPerRow == values.count, "whole rows are appended")
    guard added > 0 else { return }
    try HDF5.locked {
      let extents = [hsize_t(rowCount + added)] + shape.dropFirst().map { hsize_t($0) }
      try HDF5.check(H5Dset_extent(handle.id, extents), "write /\(name)")
      let (memory, file) = try spaces(forRows: rowCount..<(rowCount + added))
      try HDF5.check(
        H5Dwrite(handle.id, Element.nativeType, memory.id, file.id, token_h5_default(), values),
        "write /\(name)")
    }
  }

  /// Writes whole rows into a dataset that has them.
  package func write<Element: HDF5Number>(_ values: [Element], fromRow first: Int) throws {
    let count = values.count / elementsPerRow
    precondition(
      count * elementsPerRow == values.count && first + count <= rowCount, "the rows exist")
    guard count > 0 else { return }
    try HDF5.locked {
      let (memory, file) = try spaces(forRows: first..<first + count)
      try HDF5.check(
        H5Dwrite(handle.id, Element.nativeType, memory.id, file.id, token_h5_default(), values),
        "write /\(name)")
    }
  }

  /// The spaces of a run of rows in memory and in the file.
  private func spaces(forRows rows: Range<Int>) throws -> (memory: HDF5Handle, file: HDF5Handle) {
    let rest = shape.dropFirst().map { hsize_t($0) }
    let start = [hsize_t(rows.lowerBound)] + rest.map { _ in 0 }
    let extents = [hsize_t(rows.count)] + rest
    let file = try HDF5Handle(H5Dget_space(handle.id), closing: H5Sclose, action)
    try HDF5.check(
      H5Sselect_hyperslab(file.id, H5S_SELECT_SET, start, nil, extents, nil), action)
    let memory = try HDF5Handle(
      H5Screate_simple(Int32(extents.count), extents, nil), closing: H5Sclose, action)
    return (memory, file)
  }
}
