import Statistics
import Testing

@Test func statisticsExample() throws {
  // README.md:
  let total = Estimate(value: 0.47, standardError: 0.05)
  let interval = total.confidenceInterval  // 0.37 to 0.57

  var generator = SeededGenerator(seed: 1)
  let face = generator.nextIndex(below: 6) + 1  // the same with every run

  let split = ImageSplit(imageCount: 100, folds: 5, seed: 0)
  let fitted = split.fitted(besides: 0).count  // 80
  // What it says is so:
  #expect(abs(interval.lowerBound - 0.372) < 1e-4 && abs(interval.upperBound - 0.568) < 1e-4)
  var again = SeededGenerator(seed: 1)
  #expect((1...6).contains(face) && face == again.nextIndex(below: 6) + 1)
  #expect(fitted == 80)
}
