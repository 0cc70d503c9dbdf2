import Foundation
import Testing
import TokenGrids

@testable import Commands

/// The names of the commands, each a program of its own too.
private let names = [
  "entropy-map", "order-compare", "order-search", "moments", "appendix-figures", "par-sample",
  "par-train",
  "fid-compare", "tokenize",
]

@Test func everyCommandIsASubcommand() {
  let found = TokenEntropyCommand.configuration.subcommands.map { $0.configuration.commandName }
  #expect(found == names)
  for name in names + ["token-entropy"] {
    let command = TokenEntropyCommand.command(calledAs: "/opt/bin/\(name)")
    #expect(command.configuration.commandName == name)
  }
  for other in ["", "a.out"] {
    let command = TokenEntropyCommand.command(calledAs: other)
    #expect(command.configuration.commandName == "token-entropy")
  }
}

/// The same numbers by all three ways to call a command.
@Test func linksRunTheCommandsTheyAreNamedAfter() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 200)
    .write(to: folder.appendingPathComponent("t.h5").path)
  let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("token-entropy")
  let link = folder.appendingPathComponent("order-compare")
  try FileManager.default.createSymbolicLink(at: link, withDestinationURL: program)
  let arguments = ["raster", "diagonal", "--tokens", "t.h5", "--csv"]
  let alone = try Program(name: "order-compare").run(arguments, in: folder)
  let sub = try Program(name: "token-entropy").run(["order-compare"] + arguments, in: folder)
  let linked = try Program(name: "token-entropy").run(
    arguments, in: folder, wrapping: { _ in (link.path, []) })
  #expect(alone.status == 0 && !alone.output.isEmpty, "\(alone.errors)")
  #expect(sub.output == alone.output)
  #expect(linked.output == alone.output)
}

/// The program and its data are found together wherever they are, through a link too.
@Test func theEmbeddedDataAreFoundRelativeToTheProgram() throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  let (bin, share) = (
    folder.appendingPathComponent("bin"), folder.appendingPathComponent("share/token-entropy")
  )
  for directory in [bin, share] {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }
  let build = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  let program = bin.appendingPathComponent("token-entropy")
  try FileManager.default.copyItem(at: build.appendingPathComponent("token-entropy"), to: program)
  let link = folder.appendingPathComponent("tokenize")
  try FileManager.default.createSymbolicLink(at: link, withDestinationURL: program)
  func run() throws -> Program.Result {
    try Program(name: "tokenize").run(
      ["info", "scenes-12x12", "--json"], in: folder, wrapping: { _ in (link.path, []) })
  }
  let missing = try run()
  #expect(missing.status == 1)
  #expect(missing.errors.contains("scenes-12x12.h5"), "\(missing.errors)")
  try smallDataset(grid: TokenGrid(rows: 3, columns: 3), images: 20)
    .write(to: share.appendingPathComponent("scenes-12x12.h5").path)
  let found = try run()
  #expect(found.status == 0 && found.output.contains("\"images\":20"), "\(found.errors)")
}
