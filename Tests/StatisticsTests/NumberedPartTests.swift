import Testing

@testable import Statistics

@Suite struct NumberedPartTests {
  @Test func textIsTwoNumbers() {
    #expect(NumberedPart("2/7") == NumberedPart(2, of: 7))
    #expect(NumberedPart("7/7")?.description == "7/7")
    for text in [
      "0/3", "4/3", "a/b", "1/", "/1", "1", "", "1/2/3", "-1/3", "+1/3", " 1/3", "1/3 ", "1.0/3",
      "1/0", "1/99999999999999999999", "٣/٥",
    ] {
      #expect(NumberedPart(text) == nil, "\(text)")
    }
  }

  @Test func partsFollowEachOtherAndDifferByOne() {
    for (total, count) in [(0, 3), (1, 1), (10, 3), (11, 7), (5, 9), (12_811_670, 32)] {
      let ranges = (1...count).map { NumberedPart($0, of: count).range(of: total) }
      #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == total)
      for (a, b) in zip(ranges, ranges.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
      let sizes = ranges.map(\.count)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }
    // Products beyond 64 bits.
    #expect(
      NumberedPart(1_000_000_000, of: 1_000_000_000).range(of: Int.max).upperBound == Int.max)
  }

  @Test func photographsStayTogether() {
    var generator = SeededGenerator(seed: 5)
    // Of one to five images each, in runs and mixed.
    let runs = (0..<40).flatMap { id in
      Array(repeating: UInt32(id), count: 1 + generator.nextIndex(below: 5))
    }
    var mixed = runs
    generator.shuffle(&mixed)
    for ids in [runs, mixed, (0..<50).map { UInt32($0) }] {
      let photographs = Photographs(ids)
      let arranged = photographs.images.flatMap(\.self)
      for count in [1, 2, 7, 32] {
        var end = 0
        var all: [Int] = []
        for number in 1...count {
          let (images, places) = photographs.part(NumberedPart(number, of: count))
          #expect(places.count == images.count && images == Array(arranged[places]))
          if !images.isEmpty {
            // The next photograph at or after i·m/N.
            #expect(places.lowerBound == end)
            #expect(places.lowerBound >= (number - 1) * ids.count / count)
            end = places.upperBound
          }
          all += images
        }
        #expect(all == arranged)
      }
      let parts = (1...7).map { Set(photographs.part(NumberedPart($0, of: 7)).images) }
      for images in photographs.images {
        #expect(parts.count { !$0.isDisjoint(with: images) } == 1)
      }
    }
    // A photograph reaches through the whole second part.
    let long = Photographs([0, 0, 0, 0, 1, 2])
    #expect(long.part(NumberedPart(1, of: 3)).images == [0, 1, 2, 3])
    #expect(long.part(NumberedPart(2, of: 3)).images.isEmpty)
    #expect(long.part(NumberedPart(3, of: 3)).places == 4..<6)
  }
}
