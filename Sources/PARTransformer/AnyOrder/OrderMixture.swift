import Foundation
import Statistics
import TokenGrids

/// The orders that a model is trained on: sequences, each with its share of the images, and how many steps they are cut
/// into.
public struct OrderMixture: Codable, Hashable, Sendable {
  /// One kind of order.
  public struct Entry: Codable, Hashable, Sendable {
    /// What the user wrote.
    public let name: String
    /// The share of the images that are shown in it; shares sum to 1.
    public let share: Double
    /// Raster indices of all cells in their sequence, one of which each image takes; empty for a new random permutation for
    /// every image.
    public let sequences: [[Int]]

    /// Makes an entry.
    public init(name: String, share: Double, sequences: [[Int]]) {
      (self.name, self.share, self.sequences) = (name, share, sequences)
    }
  }

  /// The kinds of order.
  public let entries: [Entry]
  /// The fewest steps that a sequence is cut into.
  public let fewestSteps: Int
  /// The most steps.
  public let mostSteps: Int

  /// Makes a mixture.
  public init(entries: [Entry], steps: ClosedRange<Int>) {
    self.entries = entries
    (fewestSteps, mostSteps) = (steps.lowerBound, steps.upperBound)
  }

  /// Reads a mixture: specifications of orders separated by commas, each with its share after a last colon, as in
  /// `random:0.5,raster,halton:schedule=cosine,steps=9:0.1`. Entries without a share divide what is left among them.
  ///
  /// `random` without a seed is a new permutation for every image; of a file with several orders each image takes one. Of
  /// other orders the sequence counts and not its steps.
  ///
  /// - Parameter steps: the numbers of steps into which sequences are cut; nil for N/16 to N/4.
  /// - Throws: ``TrainingError/badSetting(name:value:expected:)``, or what is wrong with a specification.
  public init(_ text: String, on grid: TokenGrid, steps: ClosedRange<Int>? = nil) throws {
    let cells = grid.cellCount
    let steps = steps ?? max(1, cells / 16)...max(1, cells / 4)
    guard steps.lowerBound >= 1, steps.upperBound <= cells else {
      throw TrainingError.badSetting(
        name: "steps of an order", value: "\(steps.lowerBound) to \(steps.upperBound)",
        expected: "1 to \(cells), the cells of the \(grid) grid")
    }
    let parts = try Self.parts(of: text)
    let given = parts.reduce(0) { $0 + ($1.share ?? 0) }
    let open = parts.count { $0.share == nil }
    guard open > 0 ? given < 1 : abs(given - 1) < 1e-6 else {
      throw TrainingError.badSetting(
        name: "shares of the orders", value: "\(given) in all in \(text)",
        expected: open > 0 ? "less than 1, since some orders have no share" : "1")
    }
    entries = try parts.map { part in
      let specification = try OrderSpecification(part.order)
      let isFresh = part.order == "random"
      return Entry(
        name: part.order, share: part.share ?? (1 - given) / Double(open),
        sequences: isFresh ? [] : try specification.orders(on: grid).map(\.sequence))
    }
    (fewestSteps, mostSteps) = (steps.lowerBound, steps.upperBound)
  }

  /// Makes sure that the mixture is one of a grid: shares above 0 that sum to 1, whole sequences, and steps that have cells.
  ///
  /// - Throws: ``TrainingError/badSetting(name:value:expected:)`` for the first thing that is not so.
  /// - Complexity: O(N) a sequence.
  public func validate(on grid: TokenGrid) throws(TrainingError) {
    let cells = grid.cellCount
    guard fewestSteps >= 1, fewestSteps <= mostSteps, mostSteps <= cells else {
      throw .badSetting(
        name: "steps of an order", value: "\(fewestSteps) to \(mostSteps)",
        expected: "1 to \(cells), the cells of the \(grid) grid")
    }
    let total = entries.reduce(0) { $0 + $1.share }
    guard entries.allSatisfy({ $0.share > 0 }), abs(total - 1) < 1e-6 else {
      throw .badSetting(
        name: "shares of the orders", value: "\(total) in all",
        expected: "shares above 0 that sum to 1")
    }
    for entry in entries {
      for sequence in entry.sequences where sequence.sorted() != Array(0..<cells) {
        throw .badSetting(
          name: "sequence of \(entry.name)", value: "\(sequence.count) cells",
          expected: "every cell of the \(grid) grid once")
      }
    }
  }

  /// The orders of a text and their shares. A piece between commas that is a setting, `key=value`, belongs to the order
  /// before it.
  static func parts(of text: String) throws -> [(order: String, share: Double?)] {
    var pieces: [String] = []
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let word = piece.trimmingCharacters(in: .whitespaces)
      let head = word.prefix { $0 != "=" }
      let isSetting = head.count < word.count && !head.contains(":") && !head.contains("/")
      if isSetting, let last = pieces.last {
        pieces[pieces.count - 1] = last + "," + word
      } else {
        pieces.append(word)
      }
    }
    return try pieces.map { piece in
      guard !piece.isEmpty else {
        throw TrainingError.badSetting(
          name: "orders", value: "\"\(text)\"",
          expected: "orders separated by commas, as in random:0.5,raster,distant")
      }
      guard let colon = piece.lastIndex(of: ":"),
        let share = Double(piece[piece.index(after: colon)...])
      else { return (piece, nil) }
      guard share > 0, share <= 1 else {
        throw TrainingError.badSetting(
          name: "share of \(piece[..<colon])", value: "\(share)",
          expected: "a number above 0, at most 1")
      }
      return (String(piece[..<colon]), share)
    }
  }

  /// The orders and shares as one text.
  public var description: String {
    entries.map { "\($0.name):\(String(format: "%.3g", $0.share))" }.joined(separator: ",")
  }

  /// Draws a sequence and the sizes of its steps.
  ///
  /// The number of steps is uniform in the range. Half of the sequences are cut evenly; in the others the share of tokens
  /// known after the share x of the steps is x^γ with γ uniform from 1 to 3, which holds the published schedules, whose
  /// steps grow: the cosine has γ ≈ 2.
  func draw(
    cells count: Int, using generator: inout SeededGenerator
  ) -> (entry: Int, cells: [Int], groupSizes: [Int]) {
    var rest = generator.nextUniform()
    var chosen = entries.count - 1
    for (index, entry) in entries.enumerated() {
      if rest < entry.share {
        chosen = index
        break
      }
      rest -= entry.share
    }
    var cells: [Int]
    let sequences = entries[chosen].sequences
    if sequences.isEmpty {
      cells = Array(0..<count)
      generator.shuffle(&cells)
    } else {
      cells = sequences[generator.nextIndex(below: sequences.count)]
    }
    let steps = fewestSteps + generator.nextIndex(below: mostSteps - fewestSteps + 1)
    let grows = generator.nextUniform() < 0.5
    let exponent = grows ? 1 + 2 * generator.nextUniform() : 1
    return (chosen, cells, Self.groupSizes(of: count, steps: steps, exponent: exponent))
  }

  /// The sizes of `steps` steps after which ⌊N·(k/S)^γ⌋ tokens are known, each at least one.
  static func groupSizes(of count: Int, steps: Int, exponent: Double) -> [Int] {
    var sizes: [Int] = []
    var known = 0
    for step in 1...steps {
      let share = pow(Double(step) / Double(steps), exponent)
      let end =
        step == steps
        ? count : min(max(known + 1, Int(share * Double(count) + 1e-9)), count - (steps - step))
      sizes.append(end - known)
      known = end
    }
    return sizes
  }
}
