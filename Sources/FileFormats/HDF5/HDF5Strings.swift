import CHDF5
import Foundation

/// HDF5's type for UTF-8 text of any length, the one that h5py reads as `str`.
func variableStringType() throws -> HDF5Handle {
  let type = try HDF5Handle(H5Tcopy(token_h5_c_string()), closing: H5Tclose, "describe a string")
  try HDF5.check(H5Tset_size(type.id, token_h5_variable()), "describe a string")
  try HDF5.check(H5Tset_cset(type.id, H5T_CSET_UTF8), "describe a string")
  return type
}

/// Reads strings of either of HDF5's two forms: of variable length, or padded to a fixed one.
///
/// - Parameters:
///   - object: the open object that holds them, whose name is `what`.
///   - read: reads into a buffer with the type it is given.
/// - Throws: ``HDF5Refusal`` where they are longer than is read at once or their heap is damaged, or ``HDF5Failure``.
package func readStrings(
  count: Int, storedAs type: HDF5Handle, of object: hid_t, what: String, _ action: String,
  with read: (hid_t, UnsafeMutableRawPointer) -> herr_t
) throws -> [String] {
  let isVariable = H5Tis_variable_str(type.id) > 0
  let size = isVariable ? HDF5Heap.referenceBytes : H5Tget_size(type.id)
  let room: Int
  do {
    room = try FileClaim.bytes([count], each: size, limit: HDF5Dataset.largestArray)
  } catch {
    throw HDF5Refusal(dataset: what, reason: error.description)
  }
  let memory = isVariable ? try HDF5Heap.referenceType(action) : type
  var bytes = [UInt8](repeating: 0, count: max(1, room))
  try bytes.withUnsafeMutableBytes { buffer in
    guard let base = buffer.baseAddress else { return }
    try HDF5.check(read(memory.id, base), action)
  }
  if isVariable {
    return try HDF5Heap(of: object, what: what, action).strings(Array(bytes.prefix(room)))
  }
  return (0..<count).map { string(fromBytes: bytes[($0 * size)..<(($0 + 1) * size)]) }
}

/// The text up to the first zero byte, without the spaces that Fortran pads with.
func string(fromBytes bytes: some Sequence<UInt8>) -> String {
  let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  return text.last == " " ? text.trimmingCharacters(in: .whitespaces) : text
}

/// Lends strings to C as an array of pointers.
@discardableResult
func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafePointer<CChar>?]) throws -> Result
) rethrows -> Result {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  return try body(copies.map { UnsafePointer($0) })
}
