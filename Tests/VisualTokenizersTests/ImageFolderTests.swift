import Foundation
import TestSupport
import Testing

@testable import VisualTokenizers

@Suite struct ImageFolderTests {
  let folder: TemporaryFolder
  let image: Data

  init() throws {
    folder = try TemporaryFolder()
    image = try jpegData(RGBImage(width: 4, height: 4))
  }

  func names(_ list: ImageFolder) -> [String] {
    list.entries.map { String($0.path.dropFirst(folder.path.count + 1)) }
  }

  @Test func aFlatFolderHasNoLabels() throws {
    for name in ["b.jpg", "a.JPG", "10.jpg", "9.jpg"] { try folder.write(image, name) }
    let list = try ImageFolder(path: folder.path)
    #expect(names(list) == ["10.jpg", "9.jpg", "a.JPG", "b.jpg"])
    #expect(list.entries.allSatisfy { $0.label == nil })
    #expect(list.classNames == [] && list.otherFileCount == 0)
  }

  @Test func subFoldersAreClassesAndEveryPrefixIsBalanced() throws {
    for (name, count) in [("sea", 2), ("forest", 6)] {
      try folder.makeFolder(name)
      for i in 0..<count { try folder.write(image, "\(name)/\(i).jpg") }
    }
    try folder.makeFolder("empty")
    let list = try ImageFolder(path: folder.path)
    // A class without images keeps its label, so that the others' do not depend on it.
    #expect(list.classNames == ["empty", "forest", "sea"])
    #expect(list.emptyFolders == ["empty"])
    #expect(list.entries.map(\.label) == [1, 1, 2, 1, 1, 1, 2, 1])
    #expect(
      names(list) == [
        "forest/0.jpg", "forest/1.jpg", "sea/0.jpg", "forest/2.jpg", "forest/3.jpg",
        "forest/4.jpg", "sea/1.jpg", "forest/5.jpg",
      ])
  }

  @Test func linksToFoldersAreReadAndCirclesAreNot() throws {
    try folder.makeFolder("elsewhere")
    try folder.write(image, "elsewhere/a.jpg")
    try folder.makeFolder("photos/hill/inner")
    try folder.write(image, "photos/hill/inner/b.jpg")
    let manager = FileManager.default
    try manager.createSymbolicLink(
      atPath: folder.file("photos/lake"), withDestinationPath: folder.file("elsewhere"))
    try manager.createSymbolicLink(
      atPath: folder.file("photos/hill/more"), withDestinationPath: folder.file("elsewhere"))
    for (link, target) in [("up", "photos"), ("inner/back", "photos/hill")] {
      try manager.createSymbolicLink(
        atPath: folder.file("photos/hill/" + link), withDestinationPath: folder.file(target))
    }
    let list = try ImageFolder(path: folder.file("photos"))
    #expect(list.classNames == ["hill", "lake"])
    #expect(list.emptyFolders == [])
    let classes = Dictionary(grouping: list.entries, by: \.label).mapValues { entries in
      entries.map { String($0.path.dropFirst(folder.file("photos/").count)) }.sorted()
    }
    #expect(
      classes == [0: ["hill/inner/b.jpg", "hill/more/a.jpg"], 1: ["lake/a.jpg"]])
  }

  @Test func foldersBesideImagesAreNoClasses() throws {
    try folder.write(image, "a.jpg")
    try folder.makeFolder("notes")
    let list = try ImageFolder(path: folder.path)
    #expect(list.classNames == [] && list.emptyFolders == ["notes"])
    #expect(list.entries.map(\.label) == [nil])
  }

  @Test func deeperFoldersBelongToTheirClass() throws {
    try folder.makeFolder("sea/2020/may")
    try folder.write(image, "sea/2020/may/a.jpg")
    try folder.write(image, "sea/b.jpg")
    let list = try ImageFolder(path: folder.path + "/")
    #expect(list.classNames == ["sea"])
    #expect(Set(list.entries.map(\.label)) == [0])
    #expect(list.entries.count == 2)
  }

  @Test func filesAreRecognisedByContent() throws {
    try folder.write(image, "without-extension")
    try folder.write(try pngData(RGBImage(width: 2, height: 2)), "picture.dat")
    try folder.write(Data("text".utf8), "notes.txt")
    try folder.write(Data("text".utf8), "broken.png")
    try folder.write(image, ".hidden.jpg")
    let list = try ImageFolder(path: folder.path)
    #expect(names(list) == ["broken.png", "picture.dat", "without-extension"])
    #expect(list.otherFileCount == 1)
  }

  /// A pipe would block whoever reads it; a link to nowhere is a broken image.
  @Test func pipesAndLinks() throws {
    try #require(mkfifo(folder.file("pipe.jpg"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("dangling.jpg"), withDestinationPath: folder.file("none"))
    try folder.write(image, "a.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.jpg"), withDestinationPath: folder.file("a.jpg"))
    let list = try ImageFolder(path: folder.path)
    #expect(names(list) == ["a.jpg", "dangling.jpg", "link.jpg"])
    #expect(list.otherFileCount == 1)
    #expect(throws: ImageError.self) { try RGBImage(contentsOf: folder.file("dangling.jpg")) }
  }

  @Test func missingFolder() {
    let path = folder.file("none")
    #expect(throws: ImageError.missing(path)) { try ImageFolder(path: path) }
  }

  @Test func aFileIsNoFolder() throws {
    try folder.write(image, "a.jpg")
    let path = folder.file("a.jpg")
    #expect(throws: ImageError.notAFolder(path)) { try ImageFolder(path: path) }
  }

  @Test func emptyFolder() throws {
    #expect(throws: ImageError.noImages(folder.path)) { try ImageFolder(path: folder.path) }
    try folder.makeFolder("class")
    try folder.write(Data("text".utf8), "class/notes.txt")
    #expect(throws: ImageError.noImages(folder.path)) { try ImageFolder(path: folder.path) }
  }

  @Test func imagesBesideClassFolders() throws {
    try folder.makeFolder("sea")
    try folder.write(image, "sea/a.jpg")
    try folder.write(image, "b.jpg")
    #expect(
      throws: ImageError.mixedFolder(folder.path, image: "b.jpg", folder: "sea")
    ) { try ImageFolder(path: folder.path) }
  }

  @Test(.enabled(if: getuid() != 0, "root may read every folder"))
  func unreadableFolder() throws {
    try folder.makeFolder("locked")
    chmod(folder.file("locked"), 0)
    #expect(
      throws: ImageError.unreadable(folder.file("locked"), reason: "Permission denied")
    ) { try ImageFolder(path: folder.path) }
  }
}
