import ArgumentParser
import Foundation
import OrderSearch
import TokenGrids

/// Numbers of steps: `24`, `8,12,16`, or `16..147` for a range.
struct StepNumbers: ExpressibleByArgument, Hashable {
  let text: String
  /// Those named one by one.
  let single: [Int]
  /// Those named by their ends.
  let ranges: [ClosedRange<Int>]

  init?(argument: String) {
    var single: [Int] = []
    var ranges: [ClosedRange<Int>] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if let number = Int(part) {
        single.append(number)
        continue
      }
      guard let dots = part.firstRange(of: ".."), let low = Int(part[..<dots.lowerBound]),
        let high = Int(part[dots.upperBound...]), low <= high
      else { return nil }
      ranges.append(low...high)
    }
    text = argument
    self.single = single
    self.ranges = ranges
  }

  /// Numbers that stand about evenly in a range on a logarithmic scale, with both ends.
  static func spread(_ range: ClosedRange<Int>, count: Int) -> [Int] {
    let ratio = Double(range.upperBound) / Double(max(range.lowerBound, 1))
    return (0..<count).map { index in
      let share = count > 1 ? Double(index) / Double(count - 1) : 0
      return Int((Double(range.lowerBound) * pow(ratio, share)).rounded())
    }
  }
}

/// `--from`: names of starting sequences, separated by commas.
struct StartNames: ExpressibleByArgument, Hashable {
  let names: [String]

  /// A part like `seed=3` belongs to the name before it.
  init?(argument: String) {
    var names: [String] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      guard !part.isEmpty else { return nil }
      if let last = names.last, last.contains(":"), part.contains("="), !part.contains(":") {
        names[names.count - 1] = last + "," + part
      } else {
        names.append(part)
      }
    }
    self.names = names
  }
}

/// A sequence to begin with: an order, or one that is made from the data.
enum StartSource: Hashable {
  case order(OrderSpecification)
  case greedy(saturation: Double)

  /// - Throws: A sentence about a name that is neither.
  init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0] == "greedy" else {
      self = .order(try OrderSpecification(argument: text))
      return
    }
    guard parts.count == 2 else {
      self = .greedy(saturation: 1)
      return
    }
    let setting = parts[1].split(separator: "=", omittingEmptySubsequences: false)
    guard setting.count == 2, setting[0] == "saturation", let value = Double(setting[1]),
      value >= 0,
      value.isFinite
    else {
      throw ValidationError(
        "\(text): greedy has the key saturation=, a number that is not negative")
    }
    self = .greedy(saturation: value)
  }
}

/// `--parts`: the shares of the images that sequences are fitted to and chosen by.
struct PartShares: ExpressibleByArgument, Hashable {
  let text: String
  let shares: SearchParts.Shares

  init?(argument: String) {
    let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0)
    }
    guard numbers.count == 2, let fit = numbers[0], let selection = numbers[1], fit > 0,
      selection > 0, fit + selection < 1
    else { return nil }
    text = argument
    shares = SearchParts.Shares(fit: fit, selection: selection)
  }
}

/// What steps may hold.
struct ConstraintOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Let this many steps at the start hold a single token. (default: 0)", valueName: "count"))
  var keepInitial: Int?

  @Option(
    help: ArgumentHelp(
      "Let all later steps but the last hold a multiple of this many tokens, as accelerators like it. (default: 1)",
      valueName: "tokens"))
  var groupsMultipleOf: Int?

  @Option(
    help: ArgumentHelp("The most tokens of a step. (default: any number)", valueName: "tokens"))
  var maxGroup: Int?

  func validate() throws {
    if let keepInitial, keepInitial < 0 {
      throw ValidationError("--keep-initial \(keepInitial): expected a number from 0")
    }
    for (name, value) in [("--groups-multiple-of", groupsMultipleOf), ("--max-group", maxGroup)] {
      if let value, value < 1 {
        throw ValidationError("\(name) \(value): expected a number from 1")
      }
    }
  }

  var constraints: StepConstraints {
    StepConstraints(
      initialSteps: keepInitial ?? 0, multiple: groupsMultipleOf ?? 1, largestGroup: maxGroup)
  }

  /// Refuses numbers of steps that there are no sizes for.
  func check(_ steps: [Int], on grid: TokenGrid) throws {
    let n = grid.cellCount
    for count in steps where !(1...n).contains(count) {
      throw ValidationError("--steps \(count): a \(grid) grid has 1 to \(n) steps")
    }
    let possible = constraints.stepCounts(of: n)
    for count in steps where !possible.contains(count) {
      throw ValidationError(
        "--steps \(count): with these constraints a \(grid) grid has \(possible.lowerBound) to \(possible.upperBound) steps"
      )
    }
  }
}
