/// The i-th of N consecutive parts into which something is divided, written `i/N`, as in `2/8`.
///
/// Whoever divides the same things into the same number of parts divides them alike, so that N processes that know
/// nothing of each other do the whole between them, and nothing twice.
public struct NumberedPart: Hashable, Sendable, CustomStringConvertible {
  /// i, from 1.
  public let number: Int
  /// N.
  public let count: Int

  /// More parts than anybody will have.
  private static let mostParts = 1_000_000_000

  /// A part by its number.
  ///
  /// - Precondition: 1 ≤ i ≤ N ≤ 10⁹.
  public init(_ number: Int, of count: Int) {
    precondition(1 <= number && number <= count && count <= Self.mostParts, "the part exists")
    (self.number, self.count) = (number, count)
  }

  /// Reads `i/N`; nil for anything but two whole numbers with 1 ≤ i ≤ N.
  public init?(_ text: String) {
    let words = text.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = words.compactMap { word in
      word.utf8.allSatisfy { (48...57).contains($0) } ? Int(word) : nil
    }
    guard words.count == 2, numbers.count == 2, numbers[0] >= 1, numbers[0] <= numbers[1],
      numbers[1] <= Self.mostParts
    else { return nil }
    self.init(numbers[0], of: numbers[1])
  }

  /// `i/N`.
  public var description: String { "\(number)/\(count)" }

  /// Which of `total` things are in this part: those from ⌊(i − 1)·total/N⌋ to before ⌊i·total/N⌋. The sizes of parts
  /// differ by at most one; with more parts than things some are empty.
  public func range(of total: Int) -> Range<Int> {
    boundary(number - 1, of: total)..<boundary(number, of: total)
  }

  fileprivate func boundary(_ place: Int, of total: Int) -> Int {
    let product = place.multipliedFullWidth(by: total)
    return count.dividingFullWidth(product).quotient
  }
}

extension Photographs {
  /// The images of one of several parts, of which none divides a photograph.
  ///
  /// Images are arranged photograph by photograph, photographs in the order of their first images. Part i begins at place
  /// ⌊(i − 1)·m/N⌋, moved up to the next place where a photograph begins.
  ///
  /// - Returns: The images, and their places in the arrangement; none where a photograph reaches through the whole part.
  /// - Complexity: O(m).
  package func part(_ part: NumberedPart) -> (images: [Int], places: Range<Int>) {
    let total = images.reduce(0) { $0 + $1.count }
    let bounds = [part.number - 1, part.number].map { part.boundary($0, of: total) }
    var chosen: [Int] = []
    var (start, first, end) = (0, total, total)
    for photograph in images {
      if start >= bounds[0], start < bounds[1] {
        first = min(first, start)
        chosen += photograph
      }
      if start >= bounds[1] { end = min(end, start) }
      start += photograph.count
    }
    return (chosen, chosen.isEmpty ? end..<end : first..<first + chosen.count)
  }
}
