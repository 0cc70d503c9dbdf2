import EmbeddedData
import EntropyEstimation
import Foundation
import Statistics
import Testing
import TokenData
import TokenGrids

/// A 12×12 set with fewer channels, so that fewer images will do, and its images in an order drawn with a seed.
private func photographs(_ file: URL, channels: Int) throws -> (TokenDataset, images: [Int]) {
  let dataset = try TokenDataset(contentsOf: file.path).reduced(toFeatureDimensions: channels)
  var generator = SeededGenerator(seed: 8)
  var images = Array(0..<dataset.imageCount)
  generator.shuffle(&images)
  return (dataset, images)
}

private func profiles(
  _ dataset: TokenDataset, _ images: some Collection<Int>, bound: EntropyBound = .debiased
) throws -> [OrderProfile] {
  try OrderEstimator(EstimationSettings(bound: bound)).profiles(
    of: ["raster", "distant", "distant:n=16", "halton"].map {
      try OrderSpecification($0).order(on: dataset.grid, tokensPerStep: 4)
    }, in: ImageSubset(of: dataset, images: images.sorted()))
}

/// What holds for photographs does not depend on how many of them there are: with 1.7, 3, 6 and 23 images for each of an
/// image's 432 numbers every total is within two and a half combined errors of that of all, and raster's joint entropy too. Wishart's
/// closed form is not, on patches: distant moves by more than four of its errors.
@Test(arguments: [EmbeddedData.scenes12x12, EmbeddedData.learned12x12])
func totalsDoNotDependOnTheNumberOfPhotographs(file: URL) throws {
  let (dataset, images) = try photographs(file, channels: 3)
  let all = try profiles(dataset, images)
  for count in [740, 1300, 2600] {
    let part = try profiles(dataset, images.prefix(count))
    try #require(part.count == 4 && all.count == 4)
    for (few, many) in zip(part, all) {
      for (a, b) in [
        (few.totalIncrease, many.totalIncrease), (few.jointEntropy, many.jointEntropy),
      ] {
        let error = hypot(a.standardError, b.standardError)
        #expect(abs(a.value - b.value) < 2.5 * error, "\(count) \(few.order.name) \(a) \(b)")
      }
    }
  }
  guard file == EmbeddedData.scenes12x12 else { return }
  let closed = try [740, 10_000].map {
    try profiles(dataset, images.prefix($0), bound: .wishart)[1].totalIncrease
  }
  let error = hypot(closed[0].standardError, closed[1].standardError)
  #expect(closed[0].value - closed[1].value > 4 * error, "\(closed)")
}

/// Ten disjoint parts of the photographs, 1.7 images for each of an image's 432 numbers: their mean is that of all within three errors of
/// a mean of ten, and 95% intervals of totals and of paired differences cover the value of all photographs in 88 to 99 of a hundred
/// cases. (The parts share no image, but what is measured on one part is correlated: seven quantities count as about
/// three, of 20 parts, and 88% is three standard errors of 60 below 95%.)
@Test func intervalsCoverWhatAllPhotographsSay() throws {
  var (covered, cases) = (0, 0)
  for file in [EmbeddedData.scenes12x12, EmbeddedData.learned12x12] {
    let (dataset, images) = try photographs(file, channels: 3)
    func quantities(_ profiles: [OrderProfile]) -> [Estimate] {
      profiles.map(\.totalIncrease)
        + profiles.dropFirst().map {
          let difference = $0.difference(from: profiles[0])
          return Estimate(
            value: difference.value, standardError: difference.standardError ?? .nan)
        }
    }
    let all = quantities(try profiles(dataset, images))
    let parts = try (0..<10).map { part in
      quantities(try profiles(dataset, images[part * 740..<(part + 1) * 740]))
    }
    for (index, truth) in all.enumerated() {
      let values = parts.map { $0[index] }
      let mean = values.reduce(0) { $0 + $1.value } / 10
      let error = values.reduce(0) { $0 + $1.standardError * $1.standardError }.squareRoot() / 10
      #expect(abs(mean - truth.value) < 3 * error, "\(index): \(mean) ± \(error), \(truth)")
      cases += 10
      covered += values.count { $0.confidenceInterval.contains(truth.value) }
    }
  }
  let share = Double(covered) / Double(cases)
  #expect(share > 0.88 && share < 0.99, "\(share)")
}
