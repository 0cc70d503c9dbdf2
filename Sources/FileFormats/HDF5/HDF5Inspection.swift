import CHDF5
import Foundation

/// Why a dataset of an HDF5 file is not read although the library might: reading it would give numbers that nobody wrote, open
/// another file, or ask for memory on the word of a damaged file.
package struct HDF5Refusal: Error {
  /// The name inside its group, as in `codes`.
  package let dataset: String
  /// What is wrong with it, to follow its name in a sentence, as in `is a group; a dataset is expected`.
  package let reason: String
}

extension HDF5Dataset {
  /// The most numbers of an array that is read at once, such as a codebook: 2²⁸, of which single precision takes 1 GiB.
  static let largestArray = 1 << 28
  /// The most bytes of one chunk, which is in memory twice.
  private static let largestChunk = 1 << 30

  /// Makes sure that all of the dataset was written, that it is in this file, and that its extents can be believed: whoever reads
  /// it may allocate what they ask for.
  ///
  /// - Parameter depth: how many virtual datasets led here.
  /// - Throws: ``HDF5Refusal``, or ``HDF5Failure`` when the library fails.
  /// - Complexity: O(number of chunks); only those that a virtual dataset is put together from are read.
  func inspect(depth: Int = 0) throws {
    try HDF5.locked {
      let action = "look at /\(name)"
      let creation = try HDF5Handle(H5Dget_create_plist(id), closing: H5Pclose, action)
      let type = try HDF5Handle(H5Dget_type(id), closing: H5Tclose, action)
      guard try HDF5.check(H5Pget_external_count(creation.id), action) == 0 else {
        throw refusal("keeps its numbers in another, raw file, which is not read")
      }
      let filters = try filters(creation.id, action)
      let elementBytes = H5Tget_size(type.id)
      guard !kind.isNumber || Self.isPlain(type.id) else {
        throw refusal("holds numbers whose bits lie where no number's do: it is damaged")
      }
      guard elementBytes > 0, let count = checkedProduct(shape),
        let bytes = checkedProduct([count, elementBytes])
      else {
        throw refusal("has the impossible shape \(shapeText)")
      }
      guard count > 0 else { return }
      switch H5Pget_layout(creation.id) {
      case H5D_CHUNKED:
        try inspectChunks(
          creation.id, bytes: bytes, elementBytes: elementBytes, filters: filters, action)
      case H5D_VIRTUAL: try inspectSources(creation.id, count: count, depth: depth, action)
      case H5D_CONTIGUOUS: try inspectContiguous(bytes: bytes, action)
      case H5D_COMPACT:
        // In the header itself; the library copies as many bytes as the shape asks for.
        let stored = Int(clamping: H5Dget_storage_size(id))
        do throws(FileClaim.Refusal) { try FileClaim.check(bytes, storedAs: stored) } catch {
          throw refusal("has the shape \(shapeText) and \(error.description)")
        }
      default: break
      }
    }
  }

  /// Makes sure that an array that is read at once is no larger than ``largestArray``.
  func requireModestSize() throws {
    guard let count = checkedProduct(shape), count <= Self.largestArray else {
      throw refusal("has the shape \(shapeText); at most \(Self.largestArray) numbers are read")
    }
  }

  private func refusal(_ reason: String) -> HDF5Refusal {
    HDF5Refusal(dataset: name, reason: reason)
  }

  private var shapeText: String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }

  /// Whether the bits of a type of numbers lie inside its bytes: the library converts them unseen.
  static func isPlain(_ type: hid_t) -> Bool {
    let bits = 8 * H5Tget_size(type)
    let offset = Int(H5Tget_offset(type))
    let precision = H5Tget_precision(type)
    guard bits <= 128, offset >= 0, precision > 0, precision <= bits, offset <= bits - precision
    else { return false }
    guard H5Tget_class(type) == H5T_FLOAT else { return true }
    var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
    guard H5Tget_fields(type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits) >= 0
    else { return false }
    return sign < bits && (1...15).contains(exponentBits) && (1...112).contains(mantissaBits)
      && exponent >= 0 && exponent <= bits - exponentBits && mantissa >= 0
      && mantissa <= bits - mantissaBits
  }

  /// The filters that the numbers pass, all of them known here.
  private func filters(_ creation: hid_t, _ action: String) throws -> [HDF5Pieces.Filter] {
    let filters = try HDF5Pieces.filters(creation, action)
    if let other = filters.first(where: { !$0.isKnown }) {
      throw refusal(HDF5Pieces.unreadable(other))
    }
    // The sizes in between two of them would be anybody's guess.
    guard filters.count <= 8, filters.count(where: \.isCompression) <= 1 else {
      throw refusal("is compressed more than once, which is not read")
    }
    return filters
  }

  private func inspectContiguous(bytes: Int, _ action: String) throws {
    let offset = H5Dget_offset(id)
    guard offset != token_h5_no_address() else {
      throw refusal("was made, but its numbers were never written")
    }
    let file = try HDF5Handle(H5Iget_file_id(id), closing: H5Fclose, action)
    var fileBytes: hsize_t = 0
    try HDF5.check(H5Fget_filesize(file.id, &fileBytes), action)
    guard hsize_t(bytes) <= fileBytes, H5Dget_storage_size(id) >= hsize_t(bytes) else {
      throw refusal(
        "has the shape \(shapeText), \(bytes) bytes, and the file has \(fileBytes): it is cut short or damaged"
      )
    }
  }

  private func inspectChunks(
    _ creation: hid_t, bytes: Int, elementBytes: Int, filters: [HDF5Pieces.Filter], _ action: String
  ) throws {
    var extents = [hsize_t](repeating: 0, count: shape.count)
    try HDF5.check(H5Pget_chunk(creation, Int32(shape.count), &extents), action)
    let chunk = extents.map { Int(clamping: $0) }
    guard chunk.allSatisfy({ $0 > 0 }), let chunkBytes = checkedProduct(chunk + [elementBytes]),
      chunkBytes <= Self.largestChunk
    else {
      throw refusal("is stored in pieces of the shape \(chunk), more than are read at once")
    }
    let perAxis = zip(shape, chunk).map { ($0 - 1) / $1 + 1 }
    let space = try HDF5Handle(H5Dget_space(id), closing: H5Sclose, action)
    var found: hsize_t = 0
    try HDF5.check(H5Dget_num_chunks(id, space.id, &found), action)
    guard let expected = checkedProduct(perAxis), Int(clamping: found) >= expected else {
      throw refusal(try unwritten(chunk: chunk, perAxis: perAxis, found: Int(clamping: found)))
    }
    if filters.isEmpty {
      // A layout may disagree with the type; whether each piece has its size is found out as it is read.
      let first = [hsize_t](repeating: 0, count: shape.count)
      var stored: hsize_t = 0
      try HDF5.check(H5Dget_chunk_storage_size(id, first, &stored), action)
      guard stored == hsize_t(chunkBytes) else {
        throw refusal(
          "is damaged: a piece of the shape \(chunk) takes \(chunkBytes) bytes, and \(stored) are stored"
        )
      }
    }
    let storage = Int(clamping: H5Dget_storage_size(id))
    do throws(FileClaim.Refusal) {
      // A chunk may be larger than the array.
      if filters.isEmpty {
        try FileClaim.check(bytes, storedAs: storage)
      } else {
        try FileClaim.check(max(bytes, chunkBytes), compressedTo: storage)
      }
    } catch {
      throw refusal("has the shape \(shapeText) and \(error.description)")
    }
  }

  /// Says how much of a dataset was written.
  private func unwritten(chunk: [Int], perAxis: [Int], found: Int) throws -> String {
    let advice = "what is missing would be read as zeros"
    guard let perRow = checkedProduct(Array(perAxis.dropFirst())),
      let expected = checkedProduct(perAxis), expected <= 1 << 20
    else { return "is not complete: \(found) of its pieces were written; \(advice)" }
    var missing = 0
    for run in 0..<perAxis[0] {
      var isWhole = true
      for place in 0..<perRow where isWhole {
        var rest = place
        var offset = [hsize_t](repeating: 0, count: shape.count)
        offset[0] = hsize_t(run * chunk[0])
        for axis in shape.indices.dropFirst().reversed() {
          offset[axis] = hsize_t(rest % perAxis[axis] * chunk[axis])
          rest /= perAxis[axis]
        }
        var stored: hsize_t = 0
        isWhole =
          H5Dget_chunk_storage_size(id, offset, &stored) >= 0 && stored > 0
          && isWritten(at: offset)
      }
      if !isWhole { missing += min(chunk[0], shape[0] - run * chunk[0]) }
    }
    return "is not complete: \(missing) of its \(shape[0]) rows were never written; \(advice)"
  }

  /// Whether the chunk at a place has an address in the file.
  private func isWritten(at offset: [hsize_t]) -> Bool {
    var (mask, address, size): (UInt32, haddr_t, hsize_t) = (0, 0, 0)
    return H5Dget_chunk_info_by_coord(id, offset, &mask, &address, &size) >= 0
      && address != token_h5_no_address()
  }

  /// Looks at the datasets that a virtual one is put together from.
  private func inspectSources(
    _ creation: hid_t, count: Int, depth: Int, _ action: String
  ) throws {
    guard depth < 8 else { throw refusal("leads from one virtual dataset to the next without end") }
    var sources = 0
    try HDF5.check(H5Pget_virtual_count(creation, &sources), action)
    let file = try HDF5Handle(H5Iget_file_id(id), closing: H5Fclose, action)
    var covered = 0
    var sizes: [String: Int] = [:]
    for place in 0..<sources {
      let fileName = try hdf5Text(action) { H5Pget_virtual_filename(creation, place, $0, $1) }
      let dataset = try hdf5Text(action) { H5Pget_virtual_dsetname(creation, place, $0, $1) }
      let space = try HDF5Handle(H5Pget_virtual_vspace(creation, place), closing: H5Sclose, action)
      let points = max(0, Int(clamping: H5Sget_select_npoints(space.id)))
      covered = covered.addingReportingOverflow(points).partialValue
      let key = "\(fileName)\u{0}\(dataset)"
      let shown = "/\(dataset.drop { $0 == "/" }) of \(fileName)"
      if let size = sizes[key] {
        guard points <= size else { throw overdrawn(points, from: shown, of: size) }
        continue
      }
      guard let source = try Self.source(fileName, dataset, besideFile: file) else {
        throw refusal(
          "is put together from \(shown), which cannot be found")
      }
      try source.inspect(depth: depth + 1)
      let size = checkedProduct(source.shape) ?? 0
      guard points <= size else { throw overdrawn(points, from: shown, of: size) }
      sizes[key] = size
      // The library reads them itself.
      try source.pieces?.checkAll()
    }
    guard covered >= count else {
      throw refusal(
        "is put together from other datasets that hold \(covered) of its \(count) numbers; the rest would be read as"
          + " zeros")
    }
  }

  /// Each number of a source stands for one: otherwise a few bytes could claim to be any number of them.
  private func overdrawn(_ points: Int, from source: String, of size: Int) -> HDF5Refusal {
    refusal("takes \(points) numbers from \(source), which has \(size): it is damaged")
  }

  /// A dataset that a virtual one names: in the same file, beside it, or where its path says.
  private static func source(
    _ fileName: String, _ dataset: String, besideFile file: HDF5Handle
  ) throws -> HDF5Dataset? {
    if fileName == "." {
      let own = try hdf5Text("look at the file") { H5Fget_name(file.id, $0, $1) }
      return try HDF5Group.openFile(own).rawDataset(dataset)
    }
    return try HDF5Group.open(fileName, besideFile: file)?.rawDataset(dataset)
  }
}

/// Text that the library copies into a buffer, as long as it says; at most 64 kB.
func hdf5Text(
  _ action: String, _ read: (UnsafeMutablePointer<CChar>?, Int) -> Int
) throws -> String {
  let length = try HDF5.check(read(nil, 0), action)
  var buffer = [CChar](repeating: 0, count: min(length, 1 << 16) + 1)
  let room = buffer.count
  try HDF5.check(read(&buffer, room), action)
  return string(fromBytes: buffer.map { UInt8(bitPattern: $0) })
}
