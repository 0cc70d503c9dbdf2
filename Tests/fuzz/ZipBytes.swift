import CZip
import Foundation

/// Zip archives with members of any name.
enum ZipBytes {
  static func write(_ members: [(name: String, bytes: [UInt8])], to path: String) throws {
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code) else {
      throw OriginalError(description: "libzip cannot write")
    }
    for (name, bytes) in members {
      guard let copy = malloc(max(1, bytes.count)) else { continue }
      bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(copy, base, bytes.count) } }
      let source = zip_source_buffer(archive, copy, zip_uint64_t(bytes.count), 1)
      let index = zip_file_add(archive, name, source, token_zip_utf8)
      zip_set_file_compression(archive, zip_uint64_t(max(0, index)), ZIP_CM_STORE, 0)
    }
    guard zip_close(archive) == 0 else { throw OriginalError(description: "libzip cannot write") }
  }
}
