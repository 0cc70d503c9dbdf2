import Foundation

/// Finds out why a file could not be opened, before a library gives its own, vaguer reason.
///
/// - Throws: ``FileError`` when there is no such file, it is a directory, or may not be read.
public func checkIsReadableFile(_ path: String) throws(FileError) {
  var isDirectory: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
    throw .missing(path)
  }
  guard !isDirectory.boolValue else { throw .isDirectory(path) }
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else {
    throw .unreadable(path, reason: SystemError.last.description)
  }
  close(descriptor)
}
