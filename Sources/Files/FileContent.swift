import Foundation

/// What a file is by its first bytes, whatever its name says.
public enum FileContent: Sendable {
  case zip, hdf5, npy, legacyPickle, gitLFSPointer, webPage, empty, other

  /// Looks at the first bytes of a file; `other` for what cannot be opened: whoever reads it says why.
  public init(ofFileAt path: String) {
    guard let file = FileHandle(forReadingAtPath: path) else {
      self = .other
      return
    }
    defer { try? file.close() }
    self.init((try? file.read(upToCount: 512)) ?? Data())
  }

  /// Looks at the first bytes of a file.
  public init(_ start: some Sequence<UInt8>) {
    let bytes = [UInt8](start.prefix(512))
    let text = String(decoding: bytes, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
    if bytes.isEmpty {
      self = .empty
    } else if bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0x50, 0x4B, 5, 6]) {
      self = .zip
    } else if bytes.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .hdf5
    } else if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
      self = .npy
    } else if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      self = .legacyPickle
    } else if text.hasPrefix("version https://git-lfs.github.com/") {
      self = .gitLFSPointer
    } else if ["<!doctype html", "<html", "<?xml", "<head"].contains(where: text.hasPrefix) {
      self = .webPage
    } else {
      self = .other
    }
  }

  /// What to tell a user who takes the file for another kind; nil where only its own reader can tell.
  public var explanation: String? {
    switch self {
    case .zip: "a zip archive"
    case .hdf5: "an HDF5 file"
    case .npy: "a .npy array"
    case .legacyPickle: "a Python pickle"
    case .gitLFSPointer:
      "a Git LFS pointer, not the file it stands for; fetch that with git lfs pull"
    case .webPage: "a web page, not the file it was to download; look at it in a browser to see why"
    case .empty: "empty; was a download interrupted?"
    case .other: nil
    }
  }
}
