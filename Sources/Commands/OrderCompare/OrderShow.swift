import ArgumentParser
import Figures
import FileFormats
import Files
import Foundation
import Reporting
import TokenGrids

/// `order-compare show ORDER --grid HxW`: the steps of an order, without any tokens.
struct OrderShow: ParsableCommand {
  /// What is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case table, json, npy, png
  }

  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the steps of an order of generation; no tokens are needed.",
    usage: "order-compare show <order> --grid <HxW> [options]",
    discussion: """
      EXAMPLES
        order-compare show halton:steps=32 --grid 24x24
        order-compare show lpd --grid 16x16 --format json --output lpd.json
        order-compare show distant --grid 24x24 --format png --output distant.png

      A table and .npy have the number of every cell's step, from 1; JSON also the
      sequence within a step. All of them are read as orders again. A figure is
      drawn by gnuplot, whose script and data stand beside it.
      """)

  @Argument(
    help: "The order: name[:key=value,…], the path of an order file, or - for standard input.")
  var order: String

  @Option(help: ArgumentHelp("The grid: \(TokenGrid.expectedText).", valueName: "HxW"))
  var grid: TokenGrid

  @Option(help: "table, json, npy or png.")
  var format: Format = .table

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write; - for a table or JSON on standard output. (default: -; order.png for png)",
      valueName: "file"))
  var output: String?

  @Option(
    name: [.customLong("tokens-per-step"), .customShort("n")],
    help: ArgumentHelp(
      "Tokens generated together, unless the order says n= or has steps of its own. (default: 4)",
      valueName: "n"))
  var tokensPerStep: Int?

  @Option(
    help: ArgumentHelp(
      "The tokens that the group sizes of schedule=optimal are fitted to, as order-compare has --tokens.",
      valueName: "file"))
  var tokens: DatasetArgument?

  /// The file to write; nil for standard output.
  private var file: String? { output == "-" ? nil : output }

  func validate() throws {
    if let tokensPerStep, tokensPerStep < 1 {
      throw ValidationError("--tokens-per-step \(tokensPerStep): at least 1 is needed")
    }
    if format == .png, output == "-" {
      throw ValidationError("--format png draws into a file, not on standard output")
    }
    if format == .png, let output, !output.lowercased().hasSuffix(".png") {
      throw ValidationError("--output \(output): the name of a figure ends in .png")
    }
    if format == .npy, file == nil {
      throw ValidationError("--format npy needs a file: name one with --output")
    }
  }

  func run() throws {
    let specification = try OrderSpecification(argument: order)
    if let tokensPerStep, !specification.takesTokensPerStep {
      throw ValidationError(
        "--tokens-per-step \(tokensPerStep): there is no use for it, because the order has steps of its own"
      )
    }
    let figure = URL(fileURLWithPath: file ?? "order.png")
    if format == .png {
      try OutputFolder.check(figure.deletingLastPathComponent().path)
    } else if let file {
      try checkOutput(file, inputs: [specification.path])
    }
    let order = try OrderFitting.order(
      of: specification, on: grid, tokensPerStep: tokensPerStep, tokens: tokens)
    switch format {
    case .table: try write(order.tableText)
    case .json: try write(order.jsonText)
    case .npy:
      let array = NpyWriter.bytes(
        order.stepNumbers.map(Int64.init),
        shape: (grid.isVideo ? [grid.frames] : []) + [grid.rows, grid.columns])
      if let file { try OutputFile.write(array, to: file) }
    case .png:
      try writeFigures(
        [OrderFigure(name: figure.deletingPathExtension().lastPathComponent, order: order)],
        to: figure.deletingLastPathComponent(), formats: [.png], provenance: Provenance())
    }
  }

  private func write(_ text: String) throws {
    guard let file else { return try writeToStandardOutput(text) }
    try OutputFile.write(Data(text.utf8), to: file)
  }
}
