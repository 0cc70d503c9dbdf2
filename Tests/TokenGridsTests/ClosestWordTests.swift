import Statistics
import Testing

@testable import TokenGrids

@Suite struct ClosestWordTests {
  /// The recursive definition of Levenshtein's distance.
  private func slowDistance(_ first: ArraySlice<Character>, _ second: ArraySlice<Character>) -> Int
  {
    guard let a = first.first, let b = second.first else { return first.count + second.count }
    return min(
      slowDistance(first.dropFirst(), second.dropFirst()) + (a == b ? 0 : 1),
      slowDistance(first.dropFirst(), second) + 1, slowDistance(first, second.dropFirst()) + 1)
  }

  @Test func distancesFollowTheDefinition() {
    var generator = SeededGenerator(seed: 2)
    func word() -> [Character] {
      (0..<generator.nextIndex(below: 6)).map { _ in ["a", "b", "c"][generator.nextIndex(below: 3)]
      }
    }
    for _ in 0..<200 {
      let (first, second) = (word(), word())
      #expect(editDistance(first, second) == slowDistance(first[...], second[...]))
    }
  }

  @Test func findsWhatWasMeant() {
    let words = ["raster", "distant", "window", "zcurve"]
    #expect(closestWord(to: "rester", in: words) == "raster")
    #expect(closestWord(to: "DISTANCE", in: words) == "distant")
    #expect(closestWord(to: "win", in: words) == "window")
    #expect(closestWord(to: "rasterscan", in: words) == "raster")
    #expect(closestWord(to: "", in: words) == nil)
    #expect(closestWord(to: "x", in: words) == nil)
    #expect(closestWord(to: "something", in: words) == nil)
  }
}
