import Foundation

/// A folder that outputs go to, made if need be.
public enum OutputFolder {
  /// Finds out, before any work is done, whether files can be written into a folder that is there or can be made.
  ///
  /// Nothing is left behind, and a folder that is not there is not made.
  /// - Throws: ``FileError``.
  public static func check(_ path: String) throws(FileError) {
    let place = try lowest(of: path)
    do { _ = try OutputFile(path: place + "/" + UUID().uuidString) } catch {
      // About the probe, whose name is nobody's.
      throw FileError.unwritable(path, reason: error.reason)
    }
  }

  /// Makes a folder, and those above it, where they are not there.
  ///
  /// - Throws: ``FileError``.
  public static func make(_ path: String) throws(FileError) {
    _ = try lowest(of: path)
    var folder = ""
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      folder += part
      var status = stat()
      if !folder.isEmpty, stat(folder, &status) != 0, mkdir(folder, 0o777) != 0, errno != EEXIST {
        throw FileError.unwritable(path, reason: SystemError.last.description)
      }
      folder += "/"
    }
  }

  /// The folder itself, or the first above it that is there.
  ///
  /// - Throws: ``FileError`` when it is no folder.
  private static func lowest(of path: String) throws(FileError) -> String {
    var place = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    var status = stat()
    while stat(place.path, &status) != 0, errno == ENOENT || errno == ENOTDIR, place.path != "/" {
      place.deleteLastPathComponent()
    }
    guard stat(place.path, &status) == 0 else {
      throw FileError.unwritable(path, reason: SystemError.last.description)
    }
    guard status.kind == S_IFDIR else {
      throw FileError.unwritable(path, reason: "\(place.path) is not a folder")
    }
    return place.path
  }
}
