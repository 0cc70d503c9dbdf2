import Foundation
import Testing
import TokenData
import TokenGrids

/// Names that come from the file or from the command line reach neither stream as they are, in a preview either.
@Test func namesDoNotReachTheTerminalRaw() throws {
  let program = Program(name: "order-compare")
  let missing = try program.run(["no\u{1B}[31m.txt", "--no-figure"])
  #expect(missing.status != 0 && missing.errors.contains("no\\u{1B}[31m.txt"))
  #expect(!missing.errors.contains("\u{1B}"))
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let path = folder.appendingPathComponent("a\u{1B}[2Jb.txt").path
  try "1 2\n3 4\n".write(toFile: path, atomically: true, encoding: .utf8)
  try withFile(smallDataset(grid: TokenGrid(rows: 2, columns: 2))) { data in
    let table = try program.run([path, "--tokens", data, "--no-figure"])
    #expect(table.status == 0 && table.output.contains("a\\u{1B}[2Jb.txt"), "\(table.errors)")
    #expect(!table.output.contains("\u{1B}"))
    let preview = try program.run([path, "--tokens", data, "--no-figure", "--preview"])
    #expect(preview.status == 0 && preview.output.contains("entropy increase, a\\u{1B}[2Jb.txt"))
    #expect(!preview.output.contains("\u{1B}[2J"))
  }
}
