import Foundation
import LinearAlgebra
import TokenData

/// The Gaussian law by which the held-out bound scores new images: predictions and residual covariances of every token of an
/// order, taken from the images fitted to alone.
///
/// A fit on p of m images predicts new ones worse than its own by about m/(m − p), more where tails are heavy, and in a step
/// of many tokens the sequential fit, which has the most coefficients, loses by it what it should gain: with 8,000
/// images of 24×24 tokens the plain difference of the two bounds is below zero. Leave-one-out residuals e/(1 − h), exact for
/// least squares, are residuals of new images as far as a fit can know them, and two things are taken from them:
/// covariances that need no assumption on the law of the data, and for each token the share α of what the other tokens of
/// its step add to the prediction that is worth keeping, the one that makes the residuals smallest (0 ≤ α ≤ 1). Since the
/// context of either prediction is the sequential one, the bound remains an upper bound.
struct HeldOutLaw: Sendable {
  /// The covariance W/c of a token's residuals.
  struct Law {
    /// ½ log((2πe)^d |W/c|), in the token's own units.
    let entropy: Double
    let factor: CholeskyFactor
    /// c.
    let divisor: Double
  }

  private let factorization: OrderFactorization
  /// α, by position in the order's sequence; 0 for the first token of a step.
  let shares: [Double]
  private let sequential: [Law]
  private let parallel: [Law]

  /// Takes the law from the images that were fitted to.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(m·(n·d)²/2).
  init(_ factorization: OrderFactorization, fittedTo features: some TokenFeatures) throws {
    let (n, d) = (factorization.order.grid.cellCount, factorization.channels)
    // Products of parallel residuals, then sequential ones, with each other.
    var products = [Matrix](repeating: Matrix(rows: 2 * d, columns: 2 * d), count: n)
    try factorization.forEachBlock(of: features) { count, residuals in
      for k in 0..<n {
        var rows = Matrix(rows: count, columns: 2 * d)
        for i in 0..<count {
          let place = i * n + k
          let parallelRest = factorization.rest(ofContext: residuals.parallelContext[place])
          let sequentialRest = factorization.rest(ofContext: residuals.sequentialContext[place])
          for c in 0..<d {
            rows[i, c] = residuals.parallel.elements[place * d + c] / parallelRest
            rows[i, d + c] = residuals.sequential.elements[place * d + c] / sequentialRest
          }
        }
        let sum = rows.transposed().timesTranspose()
        for a in 0..<2 * d {
          for b in 0...a { products[k][a, b] += sum[a, b] }
        }
      }
    }
    var (shares, sequential, parallel) = ([Double](), [Law](), [Law]())
    var position = 0
    for step in factorization.steps {
      for index in step.sequentialFits.indices {
        func law(_ products: Matrix, _ fit: ResidualFit) throws(NotPositiveDefinite) -> Law {
          let factor = try CholeskyFactor(ofLowerTriangle: products)
          let divisor = fit.leaveOneOutDivisor
          let constant =
            Double(d) * log(2 * .pi * M_E / divisor)
            + step.parallelScales[index]
          return Law(
            entropy: 0.5 * (constant + factor.logDeterminant), factor: factor, divisor: divisor)
        }
        let own = products[position]
        let (share, mixed) = Self.bestShare(own, channels: d)
        do {
          let alone = try law(own.block(rows: 0..<d, columns: 0..<d), step.parallelFit)
          parallel.append(alone)
          sequential.append(share > 0 ? try law(mixed, step.sequentialFits[index]) : alone)
        } catch {
          // A scatter of residuals of a fit that had ν ≥ d degrees of freedom, each row made longer.
          preconditionFailure("leave-one-out residuals span their channels")
        }
        shares.append(share)
        position += 1
      }
    }
    self.factorization = factorization
    self.shares = shares
    self.sequential = sequential
    self.parallel = parallel
  }

  /// The α in 0…1 that makes the residuals p + α(s − p) smallest, measured by the covariance of p, and their products.
  ///
  /// - Parameter products: Of (p, s) with itself, `2d × 2d`, lower triangle.
  static func bestShare(_ products: Matrix, channels d: Int) -> (Double, Matrix) {
    func element(_ a: Int, _ b: Int) -> Double { products[max(a, b), min(a, b)] }
    let own = products.block(rows: 0..<d, columns: 0..<d)
    guard let factor = try? CholeskyFactor(ofLowerTriangle: own) else { return (0, own) }
    // p − s with p, and with itself.
    var cross = Matrix(rows: d, columns: d)
    var change = cross
    for a in 0..<d {
      for b in 0..<d {
        cross[a, b] = element(a, b) - element(a, d + b)
        change[a, b] = cross[a, b] - element(d + a, b) + element(d + a, d + b)
      }
    }
    func trace(_ matrix: Matrix) -> Double {
      let solved = factor.solveLowerTransposed(factor.solveLower(matrix))
      return (0..<d).reduce(0) { $0 + solved[$1, $1] }
    }
    let size = trace(change)
    guard size > 0 else { return (0, own) }
    let share = min(max(trace(cross) / size, 0), 1)
    var mixed = own
    for a in 0..<d {
      for b in 0...a {
        mixed[a, b] += share * (share * change[a, b] - cross[a, b] - cross[b, a])
      }
    }
    return (share, mixed)
  }

  /// Residuals in units in which their covariance is the identity, `images × n·d`, by position in the sequence.
  struct Whitened {
    var sequential: Matrix
    var parallel: Matrix
  }

  /// ½ log((2πe)^d |Σ|) of each position's sequential and parallel residuals: the loss of an image is this and ½(|w|² − d), w
  /// its whitened residual.
  var entropies: (sequential: [Double], parallel: [Double]) {
    (sequential.map(\.entropy), parallel.map(\.entropy))
  }

  /// The matrix that whitens a position's residuals, given in the token's own units.
  func whitening(at position: Int, isSequential: Bool) -> Matrix {
    let law = isSequential ? sequential[position] : parallel[position]
    var result = law.factor.solveLower(factorization.parallelWhitening(at: position))
    for index in result.elements.indices { result.elements[index] *= law.divisor.squareRoot() }
    return result
  }

  /// Calls `body` with the whitened residuals of a block of images at a time.
  ///
  /// - Parameter leavingOut: Whether these are images that were fitted to, whose residuals are wanted as if each had been left
  ///   out.
  /// - Throws: What reading the features or `body` throws.
  /// - Complexity: O(images·(n·d)²/2).
  func forEachBlock(
    of features: some TokenFeatures, leavingOut: Bool, _ body: (Int, Whitened) throws -> Void
  ) throws {
    let (n, d) = (factorization.order.grid.cellCount, factorization.channels)
    try factorization.forEachBlock(of: features) { count, residuals in
      var result = Whitened(
        sequential: Matrix(rows: count, columns: n * d),
        parallel: Matrix(rows: count, columns: n * d))
      for k in 0..<n {
        var alone = residuals.parallel.block(rows: 0..<count, columns: k * d..<(k + 1) * d)
        if leavingOut {
          alone.divideRows { factorization.rest(ofContext: residuals.parallelContext[$0 * n + k]) }
        }
        let whitened = alone.whitened(by: parallel[k])
        result.parallel.setColumns(from: k * d, to: whitened)
        guard shares[k] > 0 else {
          result.sequential.setColumns(from: k * d, to: whitened)
          continue
        }
        var mixed = residuals.sequential.block(rows: 0..<count, columns: k * d..<(k + 1) * d)
        if leavingOut {
          mixed.divideRows {
            factorization.rest(ofContext: residuals.sequentialContext[$0 * n + k])
          }
        }
        for index in mixed.elements.indices {
          mixed.elements[index] =
            alone.elements[index] + shares[k] * (mixed.elements[index] - alone.elements[index])
        }
        result.sequential.setColumns(from: k * d, to: mixed.whitened(by: sequential[k]))
      }
      try body(count, result)
    }
  }

  /// Adds the losses ½log|2πΣ| + ½eᵀΣ⁻¹e of images that were not fitted to.
  ///
  /// - Throws: What reading the features throws.
  /// - Complexity: O(images·(n·d)²/2).
  func addLosses(of features: some TokenFeatures, to losses: inout ImageContributions) throws {
    let (n, d) = (factorization.order.grid.cellCount, factorization.channels)
    let entropies = entropies
    let starts = features.startsOfGroups
    let before = losses.totals.count
    try forEachBlock(of: features, leavingOut: false) { count, whitened in
      for i in 0..<count {
        func loss(_ residuals: Matrix, _ entropies: [Double]) -> [Double] {
          (0..<n).map { k in
            var squares = 0.0
            for c in (i * n + k) * d..<(i * n + k + 1) * d {
              squares += residuals.elements[c] * residuals.elements[c]
            }
            return entropies[k] + 0.5 * (squares - Double(d))
          }
        }
        let sequential = loss(whitened.sequential, entropies.sequential)
        let parallel = loss(whitened.parallel, entropies.parallel)
        losses.add(
          sequential: sequential[...], parallel: parallel[...],
          increase: zip(parallel, sequential).map { $0 - $1 }[...],
          startsGroup: starts[losses.totals.count - before])
      }
    }
  }
}

extension Matrix {
  fileprivate mutating func divideRows(by divisor: (Int) -> Double) {
    for i in 0..<rows {
      let factor = 1 / divisor(i)
      for j in i * columns..<(i + 1) * columns { elements[j] *= factor }
    }
  }

  fileprivate consuming func whitened(by law: HeldOutLaw.Law) -> Matrix {
    var result = law.factor.whiten(rows: self)
    let scale = law.divisor.squareRoot()
    for index in result.elements.indices { result.elements[index] *= scale }
    return result
  }

  fileprivate mutating func setColumns(from first: Int, to block: Matrix) {
    for i in 0..<rows {
      for j in 0..<block.columns {
        elements[i * columns + first + j] = block.elements[i * block.columns + j]
      }
    }
  }
}
