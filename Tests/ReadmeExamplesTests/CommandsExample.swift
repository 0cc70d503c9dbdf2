import ArgumentParser
import Commands
import Reporting
import Testing

@Test func commandsExample() throws {
  // README.md:
  let help = OrderCompareCommand.helpMessage()
  let command = try OrderCompareCommand.parseAsRoot(["raster", "distant:n=16", "--no-figure"])
  // `try command.run()` prints the table.
  print("order-compare", packageVersion, type(of: command).configuration.abstract)
  // What it says is so:
  #expect(help.contains("USAGE: order-compare"))
  #expect(throws: (any Error).self) {
    try OrderCompareCommand.parseAsRoot(["raster", "--no-such"])
  }
}
