import LinearAlgebra
import Statistics
import Testing
import TokenGrids

@testable import VisualTokenizers

@Suite struct KMeansTests {
  /// Points in `clusters` tight groups of different sizes, in an order without pattern.
  func groups(_ count: Int, clusters: Int, dimensions: Int, seed: UInt64) -> FloatMatrix {
    var generator = SeededGenerator(seed: seed)
    let centres = (0..<clusters).map { _ in
      (0..<dimensions).map { _ in generator.nextUniform() * 10 }
    }
    var elements: [Float] = []
    for _ in 0..<count {
      let centre = centres[generator.nextIndex(below: clusters)]
      elements += centre.map { Float($0 + 0.1 * (generator.nextUniform() - 0.5)) }
    }
    return FloatMatrix(rows: count, columns: dimensions, elements: elements)
  }

  /// Points spread evenly over a cube.
  func cube(_ count: Int, dimensions: Int, seed: UInt64) -> FloatMatrix {
    var generator = SeededGenerator(seed: seed)
    return FloatMatrix(
      rows: count, columns: dimensions,
      elements: (0..<(count * dimensions)).map { _ in Float(generator.nextUniform()) })
  }

  @Test func theDistortionNeverIncreases() throws {
    let points = cube(2000, dimensions: 3, seed: 1)
    let result = try KMeans(points: points, count: 50, maximumIterations: 30, tolerance: 0)
    #expect(result.distortions.count > 5)
    for (before, after) in zip(result.distortions, result.distortions.dropFirst()) {
      // Scores are rounded to single precision, so a tie may be broken either way.
      #expect(after <= before * (1 + 1e-6))
    }
    #expect((result.distortions.last ?? 1) < 0.95 * (result.distortions.first ?? 0))
  }

  /// After the last iteration each centre is the mean of its points, and each point is with its
  /// nearest centre: both conditions of a local minimum, checked slowly.
  @Test func theResultIsALocalMinimum() throws {
    let points = cube(300, dimensions: 2, seed: 2)
    let result = try KMeans(points: points, count: 7, maximumIterations: 200, tolerance: 0)
    #expect(result.converged)
    var sums = [[Double]](repeating: [0, 0, 0], count: 7)
    for i in 0..<300 {
      let distances = (0..<7).map { k in
        (0..<2).reduce(0.0) {
          let difference = Double(points[i, $1]) - Double(result.centres[k, $1])
          return $0 + difference * difference
        }
      }
      let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
      sums[nearest][0] += Double(points[i, 0])
      sums[nearest][1] += Double(points[i, 1])
      sums[nearest][2] += 1
    }
    for k in 0..<7 {
      #expect(sums[k][2] > 0)
      for j in 0..<2 {
        #expect(abs(sums[k][j] / sums[k][2] - Double(result.centres[k, j])) < 1e-6)
      }
    }
  }

  @Test(arguments: [2, 8, 33])
  func findsGroups(clusters: Int) throws {
    let points = groups(1500, clusters: clusters, dimensions: 4, seed: UInt64(clusters))
    let result = try KMeans(points: points, count: clusters)
    // Each group has a variance of 0.1²/12 in each of four channels.
    #expect((result.distortions.last ?? 1) < 1.5 * 4 * 0.01 / 12)
  }

  /// Features as those of patches: channels of unequal variance, heavier tails than a Gaussian.
  func patchLikePoints(_ count: Int, seed: UInt64) -> FloatMatrix {
    var generator = SeededGenerator(seed: seed)
    var elements: [Float] = []
    for _ in 0..<count {
      let contrast = generator.nextUniform() + 0.1
      for deviation in [0.9, 0.3, 0.2, 0.1] {
        let sum = (0..<6).reduce(0.0) { sum, _ in sum + generator.nextUniform() - 0.5 }
        elements.append(Float(deviation * contrast * sum))
      }
    }
    return FloatMatrix(rows: count, columns: 4, elements: elements)
  }

  /// Arthur and Vassilvitskii's k-means++, point by point: each centre is a point drawn with a
  /// probability in proportion to its squared distance to the nearest centre so far.
  func plusPlusStart(_ points: FloatMatrix, count: Int, seed: UInt64) -> FloatMatrix {
    var generator = SeededGenerator(seed: seed)
    let d = points.columns
    var chosen = [generator.nextIndex(below: points.rows)]
    var distances = [Double](repeating: .infinity, count: points.rows)
    while chosen.count < count {
      for i in 0..<points.rows {
        var distance = 0.0
        for j in 0..<d {
          let difference = Double(points[i, j] - points[chosen[chosen.count - 1], j])
          distance += difference * difference
        }
        distances[i] = min(distances[i], distance)
      }
      var draw = generator.nextUniform() * distances.reduce(0, +)
      chosen.append(
        distances.firstIndex { distance in
          draw -= distance
          return draw < 0
        } ?? 0)
    }
    return FloatMatrix(
      rows: count, columns: d,
      elements: chosen.flatMap { points.elements[($0 * d)..<(($0 + 1) * d)] })
  }

  @Test(arguments: [16, 100])
  func theStartBeatsPlusPlus(count: Int) throws {
    let points = patchLikePoints(2000, seed: 5)
    func distortion(_ centres: FloatMatrix) -> Double {
      KMeans.squaredDistances(points, centres, NearestRows(centres).nearest(to: points))
        .reduce(0, +)
    }
    let start = try VariancePartition(points: points, count: count).means
    for seed in 1...3 {
      let other = plusPlusStart(points, count: count, seed: UInt64(seed))
      #expect(distortion(start) < 0.9 * distortion(other))
    }
  }

  /// Cells are contiguous in the tree of cuts: on a line that is the order of the centres.
  @Test func centresAreNumberedAlongTheTree() throws {
    let points = cube(1000, dimensions: 1, seed: 7)
    let means = try VariancePartition(points: points, count: 32).means.elements
    #expect(means == means.sorted())
    let centres = try KMeans(points: points, count: 32).centres.elements
    #expect(centres == centres.sorted())
  }

  @Test func anUnusedCentreMovesToAPoint() throws {
    let points = FloatMatrix(rows: 4, columns: 1, elements: [0, 1, 10, 11])
    var generator = SeededGenerator(seed: 8)
    let means = KMeans.means(
      points, [0, 0, 2, 2], count: 3, errors: [0, 0, 0, 25], generator: &generator)
    // Only the last point has an error, so the centre without points goes there.
    #expect(means.elements == [0.5, 11, 10.5])
  }

  @Test func theSameSeedGivesTheSameCentres() throws {
    let points = cube(500, dimensions: 3, seed: 9)
    let first = try KMeans(points: points, count: 40, seed: 3)
    let second = try KMeans(points: points, count: 40, seed: 3)
    #expect(first.centres == second.centres)
  }

  @Test func asManyCentresAsPoints() throws {
    let points = cube(20, dimensions: 2, seed: 10)
    let result = try KMeans(points: points, count: 20)
    #expect((result.distortions.last ?? 1) < 1e-12)
  }

  @Test func refusesFewerDifferentPointsThanCentres() {
    let points = FloatMatrix(rows: 6, columns: 1, elements: [3, 1, 2, 2, 1, 3])
    #expect(throws: KMeansError.tooFewPoints(different: 3, wanted: 4)) {
      try KMeans(points: points, count: 4)
    }
    #expect(throws: KMeansError.tooFewPoints(different: 6, wanted: 7)) {
      try KMeans(points: points, count: 7)
    }
  }

  @Test func tellsItsProgress() throws {
    var iterations: [Int] = []
    let result = try KMeans(
      points: cube(200, dimensions: 2, seed: 11), count: 10, maximumIterations: 5, tolerance: 0
    ) { iteration, _ in iterations.append(iteration) }
    #expect(iterations == Array(0..<result.distortions.count))
  }
}
