import Foundation
import Testing

@testable import Commands

/// Every command and subcommand.
let allCommands: [[String]] = [
  ["token-entropy"], ["entropy-map"], ["order-compare"], ["order-compare", "run"],
  ["order-compare", "show"], ["order-search"],
  ["moments"], ["moments", "accumulate"], ["moments", "merge"], ["moments", "residuals"],
  ["moments", "influences"], ["moments", "info"],
  ["appendix-figures"], ["par-sample"], ["par-train"],
  ["par-train", "train"], ["par-train", "likelihood"], ["fid-compare"], ["fid-compare", "run"],
  ["fid-compare", "proxies"], ["fid-compare", "statistics"], ["fid-compare", "frechet"],
  ["fid-compare", "merge-statistics"],
  ["tokenize"], ["tokenize", "images"],
  ["tokenize", "import"], ["tokenize", "info"], ["tokenize", "decode"],
  ["tokenize", "concat"],
]

/// What `--help` prints on a terminal of so many columns.
private func help(of command: [String], columns: Int) throws -> String {
  let result = try Program(name: command[0]).run(
    command.dropFirst() + ["--help"], environment: ["COLUMNS": "\(columns)"])
  try #require(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
  return result.output
}

/// The parser breaks lines that are too long wherever a space is; of those that fit it breaks none. So the text before the usage
/// is the same on a terminal that is much wider, but for the abstract, the first paragraph, which is one line there.
@Test(arguments: allCommands)
func helpFitsIntoEightyColumns(command: [String]) throws {
  let (narrow, wide) = (try help(of: command, columns: 80), try help(of: command, columns: 400))
  for line in narrow.split(separator: "\n") {
    #expect(line.count <= 80, "\(command): \(line)")
  }
  func discussion(_ text: String) throws -> Substring {
    let start = try #require(text.range(of: "\n\n"))
    let end = try #require(text.range(of: "\nUSAGE: "))
    return text[start.upperBound..<end.lowerBound]
  }
  #expect(try discussion(narrow) == discussion(wide))
  #expect(try discussion(narrow).hasPrefix("EXAMPLES\n"), "examples come first")
  if command.count == 1 {
    #expect(try discussion(narrow).contains("\nEXIT STATUS\n"))
  }
}

/// Names that options had before are not shown, and those that a command only reads to refuse them neither.
@Test(arguments: allCommands)
func formerNamesAreHidden(command: [String]) throws {
  let text = try help(of: command, columns: 80)
  var hidden = ["--batch-size", "--samples", "--sample "]
  // Of par-train it is a name of its own: the orders of an any-order model.
  if command[0] != "par-train" { hidden.append("--orders") }
  if command[0] == "entropy-map" || command[0] == "appendix-figures" {
    hidden += ["--ridge", "--context-window", "--ledoit-wolf"]
  }
  if command[0] == "appendix-figures" {
    hidden += [
      "--regressor", "--feature-kind", "--features-per-token", "--marginals", "--folds", "held-out",
      "--hidden", "--epochs", "--learning-rate",
    ]
  }
  if command == ["tokenize", "decode"] { hidden.append("--images <") }
  for name in hidden { #expect(!text.contains(name), "\(name)") }
}
