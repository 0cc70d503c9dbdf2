import Files
import Foundation
import Testing

/// Whether locks go together, and what is left of them. Two locks of one process are as those of two.
@Suite struct FolderLockTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lock-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
  }

  @Test func onlySharedLocksGoTogether() throws {
    try withFolder { folder in
      func lock(_ isShared: Bool) throws -> FolderLock? {
        try FolderLock(folder: folder, name: ".lock", isShared: isShared)
      }
      var first = try lock(true)
      var second = try lock(true)
      #expect(first != nil && second != nil)
      #expect(try lock(false) == nil)
      first = nil
      // The other one still has it, and its file is there.
      #expect(FileManager.default.fileExists(atPath: folder + "/.lock"))
      #expect(try lock(false) == nil)
      second = nil
      #expect(!FileManager.default.fileExists(atPath: folder + "/.lock"))
      let alone = try lock(false)
      #expect(alone != nil)
      #expect(try lock(true) == nil)
      #expect(try lock(false) == nil)
      withExtendedLifetime((first, second, alone)) {}
    }
    try withFolder { folder in
      // Many come and go, and never does one that is alone meet another.
      for _ in 0..<100 {
        let a = try FolderLock(folder: folder, name: ".lock", isShared: true)
        let b = try FolderLock(folder: folder, name: ".lock", isShared: true)
        #expect(a != nil && b != nil)
        withExtendedLifetime((a, b)) {}
      }
      #expect(try FolderLock(folder: folder, name: ".lock") != nil)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }
}
