import CHDF5
import CHDF5Input
import Foundation

/// The pieces (chunks) that a dataset is stored in, decompressed here and not by the library.
///
/// HDF5 1.10 believes a file: it reads behind the end of a piece that is stored or inflates shorter than its shape needs.
/// Here the library only fetches the stored bytes. They are inflated into exactly the room that the shape needs, and a
/// piece of any other size is refused.
///
/// One piece is kept, for reading it row by row. Used only inside ``HDF5/locked(_:)``.
final class HDF5Pieces: @unchecked Sendable {
  /// A filter that the pieces passed when they were written, first to last.
  struct Filter {
    let number: Int32
    let parameters: [UInt32]
    let name: String

    static let lzf: Int32 = 32000
    var isCompression: Bool { number == token_h5_deflate() || number == Self.lzf }
    var isKnown: Bool {
      isCompression || number == token_h5_shuffle() || number == token_h5_fletcher32()
    }
  }

  /// The extents of a piece.
  let extents: [Int]
  let filters: [Filter]
  private let dataset: HDF5Handle
  private let name: String
  private let shape: [Int]
  private let elementBytes: Int
  /// Whether pieces that reach beyond the dataset's extents passed no filter.
  private let leavesEdgesAlone: Bool
  private var kept: (offset: [Int], bytes: [UInt8])?

  init(
    _ dataset: HDF5Handle, name: String, shape: [Int], elementBytes: Int, creation: hid_t,
    _ action: String
  ) throws {
    self.dataset = dataset
    self.name = name
    self.shape = shape
    self.elementBytes = elementBytes
    var chunk = [hsize_t](repeating: 0, count: shape.count)
    try HDF5.check(H5Pget_chunk(creation, Int32(shape.count), &chunk), action)
    extents = chunk.map { Int(clamping: $0) }
    var options: UInt32 = 0
    leavesEdgesAlone =
      H5Pget_chunk_opts(creation, &options) >= 0
      && options & token_h5_leaves_edges_unfiltered() != 0
    filters = try Self.filters(creation, action)
  }

  /// The filters of a creation list.
  static func filters(_ creation: hid_t, _ action: String) throws -> [Filter] {
    let count = try HDF5.check(H5Pget_nfilters(creation), action)
    return try (0..<UInt32(count)).map { place in
      var (flags, configuration): (UInt32, UInt32) = (0, 0)
      var parameters = [UInt32](repeating: 0, count: 32)
      var parameterCount = parameters.count
      var text = [CChar](repeating: 0, count: 256)
      let number = try HDF5.check(
        H5Pget_filter2(
          creation, place, &flags, &parameterCount, &parameters, text.count, &text, &configuration),
        action)
      return Filter(
        number: number, parameters: Array(parameters.prefix(parameterCount)),
        name: string(fromBytes: text.map { UInt8(bitPattern: $0) }))
    }
  }

  /// The bytes of one piece in memory.
  private var pieceBytes: Int {
    get throws {
      do {
        return try FileClaim.bytes(extents, each: elementBytes, limit: 1 << 30)
      } catch {
        throw refusal("is stored in pieces of the shape \(extents), more than are read at once")
      }
    }
  }

  /// Makes sure that every piece is as large as it should be, for what the library itself has to read.
  ///
  /// - Complexity: decompresses all of them.
  func checkAll() throws {
    try forEachPiece(ofRows: 0..<(shape.first ?? 0)) { _ = try bytes(at: $0) }
    kept = nil
  }

  /// Reads rows, converted to `Element`.
  func read<Element: HDF5Number>(
    rows: Range<Int>, into target: UnsafeMutableBufferPointer<Element>, storedAs type: hid_t,
    _ action: String
  ) throws {
    let isSame = H5Tequal(type, Element.nativeType) > 0
    let rowElements = shape.dropFirst().reduce(1, *)
    let pieceRowElements = extents.dropFirst().reduce(1, *)
    let coversRows = zip(shape, extents).dropFirst().allSatisfy { $0 == $1 }
    let size = MemoryLayout<Element>.size
    var scratch: [UInt8] = []
    try forEachPiece(ofRows: rows) { offset in
      let bytes = try bytes(at: offset)
      let first = max(rows.lowerBound, offset[0])
      let end = min(rows.upperBound, offset[0] + extents[0])
      let start = (first - offset[0]) * pieceRowElements * elementBytes
      let count = (end - first) * pieceRowElements
      try bytes.withUnsafeBytes { bytes in
        let source = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count * elementBytes])
        func convert(_ buffer: UnsafeMutableRawBufferPointer) throws {
          buffer.copyMemory(from: source)
          guard !isSame, count > 0 else { return }
          try HDF5.check(
            H5Tconvert(
              type, Element.nativeType, count, buffer.baseAddress, nil, token_h5_default()), action)
        }
        if coversRows, elementBytes <= size {
          let place = (first - rows.lowerBound) * rowElements
          try convert(
            UnsafeMutableRawBufferPointer(
              UnsafeMutableBufferPointer(rebasing: target[place..<place + count])))
          return
        }
        let room = count * max(elementBytes, size)
        if scratch.count < room { scratch = [UInt8](repeating: 0, count: room) }
        try scratch.withUnsafeMutableBytes { scratch in
          try convert(scratch)
          copy(
            UnsafeRawBufferPointer(scratch), of: offset, rows: first..<end, to: target,
            firstRow: rows.lowerBound)
        }
      }
    }
  }

  /// Copies the lines of a converted piece, beginning with its row `rows.lowerBound`, to where they belong.
  private func copy<Element>(
    _ source: UnsafeRawBufferPointer, of offset: [Int], rows: Range<Int>,
    to target: UnsafeMutableBufferPointer<Element>, firstRow: Int
  ) {
    let size = MemoryLayout<Element>.size
    // How much of the piece lies inside the dataset, along each axis.
    var inside = zip(zip(shape, extents), offset).map { min($0.1, $0.0 - $1) }
    inside[0] = rows.count
    let line = inside.count > 1 ? inside[inside.count - 1] : inside[0]
    let lines = inside.count > 1 ? inside.dropLast().reduce(1, *) : 1
    var index = [Int](repeating: 0, count: inside.count)
    for _ in 0..<lines {
      var (from, to) = (0, 0)
      for axis in inside.indices {
        from = from * extents[axis] + index[axis]
        to =
          to * shape[axis] + index[axis] + (axis == 0 ? rows.lowerBound - firstRow : offset[axis])
      }
      guard let base = source.baseAddress, let into = target.baseAddress else { return }
      memcpy(into + to, base + from * size, line * size)
      for axis in inside.indices.dropLast().reversed() {
        index[axis] += 1
        if index[axis] < inside[axis] { break }
        index[axis] = 0
      }
    }
  }

  /// Visits the pieces that hold some of the rows.
  private func forEachPiece(ofRows rows: Range<Int>, _ body: ([Int]) throws -> Void) throws {
    guard !rows.isEmpty, shape.allSatisfy({ $0 > 0 }) else { return }
    var offset = [Int](repeating: 0, count: shape.count)
    for run in rows.lowerBound / extents[0]...(rows.upperBound - 1) / extents[0] {
      offset = offset.map { _ in 0 }
      offset[0] = run * extents[0]
      var isDone = false
      while !isDone {
        try body(offset)
        isDone = true
        for axis in shape.indices.dropFirst().reversed() {
          offset[axis] += extents[axis]
          if offset[axis] < shape[axis] {
            isDone = false
            break
          }
          offset[axis] = 0
        }
      }
    }
  }

  // MARK: One piece

  /// The bytes of the piece that begins at a place, as the dataset's type has them.
  private func bytes(at offset: [Int]) throws -> [UInt8] {
    if let kept, kept.offset == offset { return kept.bytes }
    kept = nil
    let size = try pieceBytes
    let isEdge = zip(zip(offset, extents), shape).contains { $0.0 + $0.1 > $1 }
    let filters = isEdge && leavesEdgesAlone ? [] : filters
    let place = offset.map { hsize_t($0) }
    let bytes =
      self.filters.isEmpty
      ? try plainBytes(at: place, size: size) : try filteredBytes(at: place, size, filters)
    kept = (offset, bytes)
    return bytes
  }

  private func filteredBytes(
    at place: [hsize_t], _ size: Int, _ filters: [Filter]
  ) throws -> [UInt8] {
    let action = "read /\(name)"
    var stored: hsize_t = 0
    try HDF5.check(H5Dget_chunk_storage_size(dataset.id, place, &stored), action)
    // What does not shrink grows by little.
    guard stored > 0, stored <= hsize_t(2 * size + 1 << 16) else {
      throw damage(place, size, "\(stored) are stored")
    }
    var mask: UInt32 = 0
    var failure: herr_t = 0
    var bytes = [UInt8](unsafeUninitializedCapacity: Int(stored)) { buffer, count in
      failure = H5Dread_chunk(dataset.id, token_h5_default(), place, &mask, buffer.baseAddress)
      count = failure < 0 ? 0 : Int(stored)
    }
    try HDF5.check(failure, action)
    let applied = filters.enumerated().filter { mask >> UInt32($0.offset) & 1 == 0 }.map(\.element)
    for (step, filter) in applied.enumerated().reversed() {
      // The size before this filter: checksums of earlier ones are in it.
      let sums = applied[..<step].count { $0.number == token_h5_fletcher32() }
      let room = size + 4 * sums
      switch filter.number {
      case token_h5_deflate(), Filter.lzf:
        var made = -1
        let count = bytes.count
        bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
          if let target = buffer.baseAddress {
            made =
              filter.number == Filter.lzf
              ? token_lzf(bytes, count, target, room) : token_inflate(bytes, count, target, room)
          }
          initialized = max(0, made)
        }
        guard made == room else {
          throw damage(
            place, size,
            made < 0 ? "what is stored expands to more, or to nothing" : "it expands to \(made)")
        }
      case token_h5_shuffle():
        let width = Int(filter.parameters.first ?? 1)
        guard width > 1, width <= bytes.count else { break }
        let shuffled = bytes
        shuffled.withUnsafeBufferPointer { source in
          bytes.withUnsafeMutableBufferPointer { target in
            if let source = source.baseAddress, let into = target.baseAddress {
              token_unshuffle(source, into, shuffled.count, width)
            }
          }
        }
      case token_h5_fletcher32():
        guard bytes.count >= 4 else { throw damage(place, size, "\(bytes.count) are stored") }
        let found = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        bytes.removeLast(4)
        let sum = token_fletcher32(bytes, bytes.count)
        // The first versions of the library swapped the bytes of each half.
        let swapped = (sum & 0x00FF_00FF) << 8 | (sum >> 8) & 0x00FF_00FF
        guard found == sum || found == swapped else {
          throw damage(place, size, "their checksum does not fit")
        }
      default: throw refusal(Self.unreadable(filter))
      }
    }
    guard bytes.count == size else { throw damage(place, size, "\(bytes.count) are stored") }
    return bytes
  }

  /// The bytes of a piece that passed no filter.
  ///
  /// Of such pieces the library tells the size that they should have, and reads as many bytes as the file says: up to 4 GiB
  /// into whatever room it is given. So it is given that much address space, of which the system fills what is used; the
  /// last byte tells whether the piece was long enough.
  private func plainBytes(at place: [hsize_t], size: Int) throws -> [UInt8] {
    let action = "read /\(name)"
    let file = try HDF5Handle(H5Iget_file_id(dataset.id), closing: H5Fclose, action)
    var fileBytes: hsize_t = 0
    try HDF5.check(H5Fget_filesize(file.id, &fileBytes), action)
    let room = max(size, min(Int(clamping: fileBytes), Int(UInt32.max))) + 1
    let memory = mmap(
      nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw refusal("needs \(room) bytes of address space, which the system does not give")
    }
    defer { munmap(memory, room) }
    let last = memory.assumingMemoryBound(to: UInt8.self) + size - 1
    var wasRead = false
    for mark in [0xA5, 0x5A] as [UInt8] where !wasRead {
      last.pointee = mark
      var mask: UInt32 = 0
      try HDF5.check(
        H5Dread_chunk(dataset.id, token_h5_default(), place, &mask, memory), action)
      wasRead = last.pointee != mark
    }
    guard wasRead else { throw damage(place, size, "fewer are stored") }
    return Array(UnsafeRawBufferPointer(start: memory, count: size))
  }

  /// What to say of a filter that is not read.
  static func unreadable(_ filter: Filter) -> String {
    "is compressed with the filter \(filter.name.isEmpty ? "" : "\(filter.name) ")(\(filter.number)), which is not read;"
      + " write it with compression=\"gzip\""
  }

  private func damage(_ place: [hsize_t], _ size: Int, _ found: String) -> HDF5Refusal {
    refusal(
      "is damaged: its piece at (\(place.map { "\($0)" }.joined(separator: ", "))) takes \(size) bytes, but \(found)"
    )
  }

  private func refusal(_ reason: String) -> HDF5Refusal {
    HDF5Refusal(dataset: name, reason: reason)
  }
}
