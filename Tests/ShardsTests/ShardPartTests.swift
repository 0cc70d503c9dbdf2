import Testing

@testable import Shards

@Test func partsTellWhatIsMissingAndWhatIsThereTwice() throws {
  func part(_ images: Range<Int>, _ hash: String = "a") -> ShardPart {
    ShardPart(source: "\(hash).h5", sourceHash: hash, images: images, sourceCount: 10)
  }
  let some = try ShardParts([part(4..<6), part(0..<2), part(0..<10, "b")], file: "f")
  #expect(some.missing.map(\.images) == [2..<4, 6..<10])
  #expect(throws: ShardError.twice(part: part(5..<7), file: "g")) {
    try some.merged(with: ShardParts([part(5..<7)], file: "g"), file: "g")
  }
  let whole = try some.merged(with: ShardParts([part(6..<10), part(2..<4)], file: "g"), file: "g")
  #expect(whole.missing.isEmpty)
  // Cut elsewhere, the images are the same.
  let other = try ShardParts([part(0..<5), part(5..<10), part(0..<10, "b")], file: "h")
  #expect(whole.beyond(other).isEmpty && other.beyond(whole).isEmpty)
  #expect(whole.beyond(some).map(\.images) == [2..<4, 6..<10])
}

/// The photographs are the same whatever was said of them, so that their sums never add up.
@Test func oneFileIsReadInOneWay() throws {
  func part(_ said: String, _ images: Range<Int>) throws -> ShardParts {
    try ShardParts(
      [ShardPart(source: "a.npy", sourceHash: "f\(said)", images: images, sourceCount: 10)],
      file: "f\(said)")
  }
  for (a, b) in [("", "+x"), ("+x", ""), ("+x", "+y")] {
    for images in [0..<10, 5..<10] {
      #expect {
        try part(a, 0..<5).merged(with: part(b, images), file: "other.h5")
      } throws: { error in
        let text = "\(error)"
        return text.contains("other.h5: ") && text.contains("in one way")
      }
    }
  }
  #expect(try part("+x", 0..<5).merged(with: part("+x", 5..<10), file: "g").missing.isEmpty)
}
