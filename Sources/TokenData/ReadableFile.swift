import Foundation

/// Finds out why a file could not be opened, before a library gives its own, vaguer reason.
///
/// - Throws: ``TokenDataError`` when there is no such file, it is a directory, or may not be read.
func checkIsReadableFile(_ path: String) throws {
  var isDirectory: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
    throw TokenDataError.missingFile(path)
  }
  guard !isDirectory.boolValue else { throw TokenDataError.isDirectory(path) }
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else {
    throw TokenDataError.unreadableFile(path, reason: FileReplacement.lastSystemError())
  }
  close(descriptor)
}
