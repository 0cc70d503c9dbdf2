import Foundation

/// The images of a folder: directly in it, or in sub-folders that are their classes.
///
/// Files are recognised by their content; hidden files and folders are passed over. The order is
/// always the same, and the first images of the list hold every class in proportion: image i of
/// the n of a class, by name, comes at the place (i + ½)/n.
public struct ImageFolder: Sendable {
  /// One image file.
  public struct Entry: Hashable, Sendable {
    /// Where the file is.
    public let path: String
    /// The index of its class; nil in a folder without classes.
    public let label: UInt32?
  }

  /// The folder.
  public let path: String
  /// The images.
  public let entries: [Entry]
  /// The names of all sub-folders, sorted, those without images too, so that equal folders have equal labels; empty in a
  /// folder without classes.
  public let classNames: [String]
  /// The names of the sub-folders that hold no image, sorted.
  public let emptyFolders: [String]
  /// How many files are no images, by their content as well as by their name.
  public let otherFileCount: Int

  /// Lists a folder.
  ///
  /// A file whose name ends as an image's and whose content does not start as one is listed too:
  /// it is a broken image, and reading it says so.
  ///
  /// - Throws: ``ImageError`` when the folder does not exist, is a file, may not be read, holds no
  ///   images, or holds images both directly and in sub-folders.
  /// - Complexity: O(number of files); opens each.
  public init(path: String) throws {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw ImageError.missing(path)
    }
    guard isDirectory.boolValue else { throw ImageError.notAFolder(path) }
    var otherFileCount = 0
    let members = try Self.members(of: path)
    let direct = Self.images(among: members.files, otherFileCount: &otherFileCount)
    var classes: [(name: String, images: [String])] = []
    for folder in members.folders {
      // A link back to the whole is no part of a class.
      var seen = Set([FileIdentity(path)].compactMap(\.self))
      let images = try Self.imagesInTree(folder, seen: &seen, otherFileCount: &otherFileCount)
      classes.append(((folder as NSString).lastPathComponent, images))
    }
    emptyFolders = classes.filter(\.images.isEmpty).map(\.name)
    // Folders that hold no image at all are no classes.
    if classes.allSatisfy(\.images.isEmpty) { classes = [] }
    if let image = direct.first, let folder = classes.first(where: { !$0.images.isEmpty }) {
      throw ImageError.mixedFolder(
        path, image: URL(fileURLWithPath: image).lastPathComponent, folder: folder.name)
    }
    if direct.isEmpty, classes.isEmpty { throw ImageError.noImages(path) }
    self.path = path
    self.otherFileCount = otherFileCount
    classNames = classes.map(\.name)
    entries =
      classes.isEmpty
      ? direct.map { Entry(path: $0, label: nil) } : Self.interleaved(classes.map(\.images))
  }

  /// Mixes the classes evenly.
  private static func interleaved(_ classes: [[String]]) -> [Entry] {
    var placed: [(place: Double, entry: Entry)] = []
    for (label, images) in classes.enumerated() {
      for (i, image) in images.enumerated() {
        placed.append(
          ((Double(i) + 0.5) / Double(images.count), Entry(path: image, label: UInt32(label))))
      }
    }
    return placed.sorted {
      ($0.place, $0.entry.label ?? 0) < ($1.place, $1.entry.label ?? 0)
    }.map(\.entry)
  }

  /// What tells one folder from another, whatever path leads to it.
  private struct FileIdentity: Hashable {
    let device: UInt64
    let node: UInt64

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, node) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }

  /// The images of a folder and all folders below it, links to folders included.
  ///
  /// - Parameter seen: the folders that were read: links may lead in a circle, and each folder is read once.
  private static func imagesInTree(
    _ folder: String, seen: inout Set<FileIdentity>, otherFileCount: inout Int
  ) throws -> [String] {
    guard let identity = FileIdentity(folder), seen.insert(identity).inserted else { return [] }
    let members = try members(of: folder)
    var result = images(among: members.files, otherFileCount: &otherFileCount)
    for inner in members.folders {
      result += try imagesInTree(inner, seen: &seen, otherFileCount: &otherFileCount)
    }
    return result
  }

  /// The visible members of a folder, sorted by the bytes of their names.
  private static func members(of folder: String) throws -> (files: [String], folders: [String]) {
    let names: [String]
    do {
      // A final slash opens the folder behind a link.
      names = try FileManager.default.contentsOfDirectory(
        atPath: folder.hasSuffix("/") ? folder : folder + "/")
    } catch {
      throw ImageError.unreadable(folder, reason: reasonOfSystem(error))
    }
    var (files, folders): ([String], [String]) = ([], [])
    for name in names.filter({ !$0.hasPrefix(".") }).sorted(by: bytewise) {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      var isDirectory: ObjCBool = false
      // A link to nowhere counts as a file; reading it gives the reason.
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      if isDirectory.boolValue { folders.append(path) } else { files.append(path) }
    }
    return (files, folders)
  }

  /// Those of the files that are images, or claim to be by their names.
  private static func images(among files: [String], otherFileCount: inout Int) -> [String] {
    files.filter { file in
      let isImage = isOrdinary(file) && (startsAsImage(file) || endsAsImage(file))
      if !isImage { otherFileCount += 1 }
      return isImage
    }
  }

  /// Not a pipe or a device, whose reading might never end; a link to nowhere may pass.
  private static func isOrdinary(_ file: String) -> Bool {
    var status = stat()
    return stat(file, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  private static func startsAsImage(_ file: String) -> Bool {
    guard let handle = FileHandle(forReadingAtPath: file) else { return false }
    defer { try? handle.close() }
    guard let start = try? handle.read(upToCount: ImageFormat.signatureLength) else { return false }
    return ImageFormat(start) != nil
  }

  private static func endsAsImage(_ file: String) -> Bool {
    ["jpg", "jpeg", "png"].contains(URL(fileURLWithPath: file).pathExtension.lowercased())
  }

  /// The same order in every locale.
  private static func bytewise(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}
