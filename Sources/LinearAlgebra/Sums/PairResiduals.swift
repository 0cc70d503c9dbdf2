import CKernels

/// The residuals of one token after another given a reference token, and what images contribute to their scatters; with room
/// for one pair of tokens at a time, so that every thread needs one of its own.
///
/// All images of a pair stay in the second-level cache from the first product to the last sum.
package struct PairResiduals<Number: PairNumber>: ~Copyable {
  private let imageCount: Int
  private let channels: Int
  private let groupCount: Int
  private var residuals: [Number]
  private var contributions: [Number]

  /// Makes room.
  ///
  /// - Parameters:
  ///   - imageCount: The images.
  ///   - channels: How many of a token's coordinates, from the first, have residuals.
  package init(imageCount: Int, channels: Int) {
    let size = TokenColumns<Number>.groupSize
    self.imageCount = imageCount
    self.channels = channels
    groupCount = imageCount.dividedRoundingUp(by: size)
    residuals = Number.rounded([], count: groupCount * Self.rows(channels) * size)
    contributions = Number.rounded([], count: groupCount * size)
  }

  /// A multiple of four: coefficients and residuals have rows of zeros below the last channel.
  private static func rows(_ channels: Int) -> Int {
    let unit = te_pair_rows
    return channels.dividedRoundingUp(by: unit) * unit
  }

  /// Numbers of every image as the passes read them: zero beyond the last image.
  package static func padded(_ values: [Double]) -> [Number] {
    let size = TokenColumns<Number>.groupSize
    return Number.rounded(values, count: values.count.dividedRoundingUp(by: size) * size)
  }

  /// Σ x·yᵀ over the images, x the channels of a token and y all coordinates of a reference: channels × width.
  ///
  /// - Complexity: O(images · channels · width).
  package func products(
    of target: Int, in targets: TokenColumns<Number>, with reference: Int,
    in references: TokenColumns<Number>
  ) -> Matrix {
    precondition(targets.imageCount == imageCount && references.imageCount == imageCount)
    var result = Matrix(rows: channels, columns: references.width)
    targets.withToken(target) { x in
      references.withToken(reference) { y in
        Number.pairKernels.products(
          groupCount, channels, targets.width, references.width, x, y, &result.elements)
      }
    }
    return result
  }

  /// Takes the residuals x − C·y, C of as many rows as there are channels, and returns Σ w·r·rᵀ, lower triangle.
  ///
  /// - Parameter weights: w of every image, ``padded(_:)``.
  /// - Complexity: O(images · channels · (channels + width)).
  package mutating func setResiduals(
    of target: Int, in targets: TokenColumns<Number>, given reference: Int,
    in references: TokenColumns<Number>, coefficients matrix: Matrix, weights: [Number]
  ) -> Matrix {
    precondition(targets.imageCount == imageCount && references.imageCount == imageCount)
    precondition(matrix.rows == channels && matrix.columns == references.width)
    return references.withToken(reference) { y in
      setResiduals(of: target, in: targets, y, matrix, weights)
    }
  }

  /// Takes a token itself for its residual: that without any reference.
  ///
  /// - Complexity: O(images · channels²).
  package mutating func setResiduals(
    of target: Int, in targets: TokenColumns<Number>, weights: [Number]
  ) -> Matrix {
    precondition(targets.imageCount == imageCount)
    // No coordinate of the reference is read.
    return targets.withToken(target) { x in
      setResiduals(of: target, in: targets, x, Matrix(rows: channels, columns: 0), weights)
    }
  }

  private mutating func setResiduals(
    of target: Int, in targets: TokenColumns<Number>, _ reference: UnsafePointer<Number>,
    _ matrix: Matrix, _ weights: [Number]
  ) -> Matrix {
    precondition(weights.count == contributions.count)
    let coefficients = Number.rounded(
      matrix.elements, count: Self.rows(channels) * matrix.columns)
    var scatter = Matrix(rows: channels, columns: channels)
    targets.withToken(target) { x in
      Number.pairKernels.residuals(
        groupCount, channels, targets.width, matrix.columns, x, reference, coefficients, weights,
        &residuals, &scatter.elements)
    }
    return scatter
  }

  /// Σ w·r·rᵀ of the residuals that are there, lower triangle.
  ///
  /// - Complexity: O(images · channels²).
  package func scatter(weights: [Number]) -> Matrix {
    precondition(weights.count == contributions.count)
    var scatter = Matrix(rows: channels, columns: channels)
    Number.pairKernels.scatter(groupCount, channels, residuals, weights, &scatter.elements)
    return scatter
  }

  /// Takes scale·w·|A·r|² of every image for what it contributes.
  ///
  /// - Parameter transform: A, channels × channels, lower triangular.
  /// - Complexity: O(images · channels²/2).
  package mutating func setContributions(transform: Matrix, weights: [Number], scale: Double) {
    precondition(transform.rows == channels && weights.count == contributions.count)
    Number.pairKernels.contributions(
      groupCount, channels, residuals, weights,
      Number.rounded(transform.elements, count: transform.elements.count), Number(scale),
      &contributions)
  }

  /// What every image contributes, zero beyond the last.
  package var paddedContributions: [Number] { contributions }

  /// What every image contributes.
  package var imageContributions: [Double] { Number.widened(contributions[..<imageCount]) }

  /// The mean and spread of the contributions about an expectation, and of what a baseline has more than they.
  ///
  /// - Parameters:
  ///   - expectation: A number near their mean, so that nothing is lost when it is taken off.
  ///   - baseline: Contributions of the same images to something else; nil for none.
  ///   - groups: Which images are not independent.
  /// - Complexity: O(images).
  package func spread(
    about expectation: Double, baseline: [Number]?, groups: ImageRuns
  ) -> (own: SpreadSums, difference: SpreadSums) {
    precondition(baseline?.count ?? contributions.count == contributions.count)
    var own = [Double](repeating: 0, count: 4)
    var difference = own
    let starts = groups.starts.isEmpty ? nil : groups.starts
    Number.pairKernels.spread(
      imageCount, contributions, baseline, expectation, groups.count, starts, &own, &difference)
    return (
      SpreadSums(own, images: imageCount, groups: groups),
      SpreadSums(difference, images: imageCount, groups: groups)
    )
  }
}

/// Runs of images that are not independent of each other, such as those cut from one photograph.
package struct ImageRuns: Sendable {
  /// The first image of every run, and after them the number of images; empty where every image is a run.
  let starts: [Int]
  /// How many runs there are.
  package let count: Int
  /// The sum of their squared sizes.
  package let sizeSquares: Double

  /// Finds the runs.
  ///
  /// - Parameter startsRun: For each image whether it does not belong to the run of the image before.
  package init(startsRun: [Bool]) {
    if startsRun.allSatisfy({ $0 }) {
      starts = []
      count = startsRun.count
      sizeSquares = Double(startsRun.count)
    } else {
      let firsts = startsRun.indices.filter { $0 == 0 || startsRun[$0] }
      let starts = firsts + [startsRun.count]
      self.starts = starts
      count = firsts.count
      sizeSquares = zip(starts, starts.dropFirst()).reduce(0) {
        $0 + Double($1.1 - $1.0) * Double($1.1 - $1.0)
      }
    }
  }
}

/// Sums of a series of numbers over images that may stand in dependent runs, from which the mean and its standard error
/// follow; sums of disjoint images add.
package struct SpreadSums: Sendable {
  /// The images.
  package private(set) var count = 0.0
  /// Σ x, Σ x².
  private var sum = 0.0
  private var squares = 0.0
  /// The runs, Σ s², Σ s·k and Σ k² over them, s the sum of a run and k its size.
  private var runs = 0.0
  private var runSquares = 0.0
  private var runProducts = 0.0
  private var sizeSquares = 0.0

  /// Of no image.
  package init() {}

  /// - Parameter sums: As `te_pair_spread_float` has them.
  init(_ sums: [Double], images: Int, groups: ImageRuns) {
    count = Double(images)
    sum = sums[0]
    squares = sums[1]
    runs = Double(groups.count)
    runSquares = sums[2]
    runProducts = sums[3]
    sizeSquares = groups.sizeSquares
  }

  /// Adds those of other images.
  package mutating func add(_ other: SpreadSums) {
    count += other.count
    sum += other.sum
    squares += other.squares
    runs += other.runs
    runSquares += other.runSquares
    runProducts += other.runProducts
    sizeSquares += other.sizeSquares
  }

  /// The sums of the numbers with something added to each.
  package func shifted(by offset: Double) -> SpreadSums {
    var result = self
    result.sum += offset * count
    result.squares += offset * (2 * sum + offset * count)
    result.runSquares += offset * (2 * runProducts + offset * sizeSquares)
    result.runProducts += offset * sizeSquares
    return result
  }

  /// The mean.
  package var mean: Double { sum / max(count, 1) }

  /// The variance of single numbers.
  package var variance: Double {
    count > 1 ? max(squares - sum * mean, 0) / (count - 1) : 0
  }

  /// The mean of the squares.
  package var meanSquare: Double { squares / max(count, 1) }

  /// What the variance of the mean is over that of independent numbers.
  package var runFactor: Double {
    let plain = variance / max(count, 1)
    return plain > 0 ? standardError * standardError / plain : 1
  }

  /// The standard error of the mean, √(G/(G − 1)·Σ_g (Σ_{i∈g} (xᵢ − x̄))²)/m with G runs g (Liang and Zeger, 1986), which for runs
  /// of one image is the usual one; infinite for a single run, which says nothing of how runs differ.
  package var standardError: Double {
    guard runs < count else { return (variance / max(count, 1)).squareRoot() }
    guard runs > 1 else { return .infinity }
    let residual = runSquares - 2 * mean * runProducts + mean * mean * sizeSquares
    return (runs / (runs - 1) * max(residual, 0)).squareRoot() / count
  }
}
