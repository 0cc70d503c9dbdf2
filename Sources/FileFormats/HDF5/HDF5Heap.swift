import CHDF5
import Files
import Foundation

/// Strings of variable length, fetched from the heaps of an HDF5 file here and not by the library.
///
/// HDF5 1.10 believes a heap: an object of no size is read for ever, and one that is longer than the string that refers to it
/// is copied behind the end of the string's memory. Here the library only hands out the references, of 16 bytes each, by a
/// conversion of no effect. (Format: HDF5 file format specification, III.E, "Disk Format: Level 1E - Global Heap".)
struct HDF5Heap {
  /// The bytes of a reference: a length, the heap's address and an object's number.
  static let referenceBytes = 16
  /// The most bytes of all strings of a list.
  private static let longest = 1 << 26

  private let file: MappedFile
  private let base: Int
  private let what: String

  /// - Parameters:
  ///   - object: an open object of the file.
  ///   - what: what is read, as in `label_names`.
  init(of object: hid_t, what: String, _ action: String) throws {
    self.what = what
    (file, base) = try Self.map(object, action)
  }

  init(file: MappedFile, base: Int, what: String) {
    (self.file, self.base, self.what) = (file, base, what)
  }

  /// The bytes of the file that an open object is in, and how many of them stand before those of HDF5.
  static func map(_ object: hid_t, _ action: String) throws -> (file: MappedFile, base: Int) {
    let handle = try HDF5Handle(H5Iget_file_id(object), closing: H5Fclose, action)
    let length = try HDF5.check(H5Fget_name(handle.id, nil, 0), action)
    var path = [CChar](repeating: 0, count: length + 1)
    try HDF5.check(H5Fget_name(handle.id, &path, path.count), action)
    let creation = try HDF5Handle(H5Fget_create_plist(handle.id), closing: H5Pclose, action)
    var (user, addressBytes, lengthBytes): (hsize_t, Int, Int) = (0, 0, 0)
    try HDF5.check(H5Pget_userblock(creation.id, &user), action)
    try HDF5.check(H5Pget_sizes(creation.id, &addressBytes, &lengthBytes), action)
    guard addressBytes == 8, lengthBytes == 8 else {
      throw HDF5Failure(
        action: action, reason: "addresses of \(addressBytes) bytes; 8 are expected")
    }
    do {
      let file = try MappedFile(path: string(fromBytes: path.map { UInt8(bitPattern: $0) }))
      return (file, Int(clamping: user))
    } catch {
      throw HDF5Failure(action: action, reason: error.reason)
    }
  }

  /// The type in memory of a reference; the library converts strings to it by doing nothing.
  static func referenceType(_ action: String) throws -> HDF5Handle {
    try registered.get()
    return try HDF5Handle(
      H5Tcreate(H5T_OPAQUE, referenceBytes), closing: H5Tclose, action)
  }

  /// Registers the conversion, once.
  private static let registered: Result<Void, HDF5Failure> = {
    let text = H5Tcopy(token_h5_c_string())
    let opaque = H5Tcreate(H5T_OPAQUE, referenceBytes)
    defer {
      H5Tclose(text)
      H5Tclose(opaque)
    }
    H5Tset_size(text, token_h5_variable())
    let status = H5Tregister(H5T_PERS_SOFT, "reference", text, opaque) {
      _, target, state, _, _, _, _, _, _ in
      guard let state, state.pointee.command == H5T_CONV_INIT else { return 0 }
      state.pointee.need_bkg = H5T_BKG_NO
      return H5Tget_size(target) == HDF5Heap.referenceBytes ? 0 : -1
    }
    return status < 0
      ? .failure(HDF5Failure(action: "register a conversion", reason: HDF5.firstCause()))
      : .success(())
  }()

  /// The strings that references lead to.
  ///
  /// - Throws: ``HDF5Refusal`` where a heap is damaged.
  func strings(_ references: [UInt8]) throws -> [String] {
    var total = 0
    return try stride(from: 0, to: references.count, by: Self.referenceBytes).map { place in
      let length = number(references, place, 4)
      guard length > 0 else { return "" }
      total += length
      guard total <= Self.longest else {
        throw refusal("holds more than \(Self.longest) bytes of text")
      }
      let address = number(references, place + 4, 8)
      return string(
        fromBytes: try object(number(references, place + 12, 4), at: address, length: length))
    }
  }

  /// The first `length` bytes of an object of the heap at an address, or all of them.
  func object(_ wanted: Int, at address: Int, length: Int? = nil) throws -> ArraySlice<UInt8> {
    let (start, overflow) = address.addingReportingOverflow(base)
    guard !overflow, start >= 0, start <= file.bytes.count - 16,
      file.bytes[start..<start + 4].elementsEqual("GCOL".utf8), file.bytes[start + 4] == 1
    else { throw refusal("refers to text at \(address), where there is none") }
    let size = number(file.bytes, start + 8, 8)
    guard size >= 16, size <= file.bytes.count - start else {
      throw refusal("refers to text at \(address), of \(size) bytes, beyond the end of the file")
    }
    var place = start + 16
    let end = start + size
    // Number 0 is the free space, which is the last.
    while place + 16 <= end, case let index = number(file.bytes, place, 2), index > 0 {
      let bytes = number(file.bytes, place + 8, 8)
      guard bytes >= 0, bytes <= end - place - 16 else { break }
      if index == wanted {
        let length = length ?? bytes
        guard length <= bytes else { break }
        return ArraySlice(file.bytes[place + 16..<place + 16 + length])
      }
      place += 16 + (bytes + 7) / 8 * 8
    }
    throw refusal("refers to text at \(address) that is not there")
  }

  /// A number, least byte first; one beyond 63 bits is negative.
  private func number(_ bytes: some RandomAccessCollection<UInt8>, _ offset: Int, _ count: Int)
    -> Int
  {
    let start = bytes.index(bytes.startIndex, offsetBy: offset)
    return bytes[start..<bytes.index(start, offsetBy: count)].reversed().reduce(0) {
      $0 << 8 | Int($1)
    }
  }

  private func refusal(_ reason: String) -> HDF5Refusal {
    HDF5Refusal(dataset: what, reason: reason)
  }
}
