import LinearAlgebra

/// What weighs the images in the fits of an order's tokens.
extension OrderPass {
  /// What weighs the images in a token's two fits.
  struct TokenFits: Sendable {
    let sequential: WeightedScatter<Scalar>
    let parallel: WeightedScatter<Scalar>
    /// The degrees of freedom, those of the parallel fit second.
    let freedom: (Double, Double)
    /// How many numbers of the context are the step's own.
    let added: Int
    let isFallback: Bool
    /// What the fit's own use of degrees of freedom makes different from the closed form's p.
    let adjustment: (Double, Double)
  }

  /// Refuses sums of which no covariance follows, whatever the weights.
  ///
  /// - Throws: ``EstimationError/imageDecides(source:cell:)``.
  func requireScatters(_ sums: [TokenSums], source: String) throws(EstimationError) {
    var position = 0
    for step in factorization.steps {
      for fit in step.sequentialFits {
        let sum = sums[position]
        let parallel = sum.parallel.map { $0.hasScatter(used(step.parallelFit, $0).fit) }
        guard sum.sequential.hasScatter(used(fit, sum.sequential).fit), parallel != false else {
          let grid = factorization.order.grid
          throw .imageDecides(
            source: source, cell: grid.cell(at: factorization.order.sequence[position]))
        }
        position += 1
      }
    }
  }

  /// - Parameter fallbacks: The positions that are to have the weights 1/(1 − h) whatever their scatters.
  func weightedFits(_ sums: [TokenSums], fallbacks: Set<Int> = []) -> [TokenFits] {
    var result: [TokenFits] = []
    for step in factorization.steps {
      for fit in step.sequentialFits {
        let sum = sums[result.count]
        let own = used(fit, sum.sequential)
        guard let parallelSum = sum.parallel else {
          let weighted = fallbacks.contains(result.count) ? nil : sum.sequential.weighted(own.fit)
          let scatter = weighted ?? sum.sequential.fallback(own.fit)
          result.append(
            TokenFits(
              sequential: scatter, parallel: scatter,
              freedom: (own.fit.degreesOfFreedom, own.fit.degreesOfFreedom), added: 0,
              isFallback: weighted == nil, adjustment: (own.adjustment, own.adjustment)))
          continue
        }
        let other = used(step.parallelFit, parallelSum)
        // Both fits of a token have the same weights: they share most of their error.
        let weighted =
          fallbacks.contains(result.count)
          ? nil
          : sum.sequential.weighted(own.fit).flatMap { sequential in
            parallelSum.weighted(other.fit).map { (sequential, $0) }
          }
        let pair =
          weighted
          ?? (sum.sequential.fallback(own.fit), parallelSum.fallback(other.fit))
        result.append(
          TokenFits(
            sequential: pair.0, parallel: pair.1,
            freedom: (own.fit.degreesOfFreedom, other.fit.degreesOfFreedom),
            added: fit.predictors - step.parallelFit.predictors, isFallback: weighted == nil,
            adjustment: (own.adjustment, other.adjustment)))
      }
    }
    return result
  }

  /// The fit with the degrees of freedom that it uses up. Predictors that functions of tokens add have a little noise on them,
  /// and those that hardly vary count for less than one; for least squares alone it is p.
  func used(
    _ fit: ResidualFit, _ sums: LeverageSums<Scalar>
  ) -> (fit: ResidualFit, adjustment: Double) {
    guard factorization.coordinates > factorization.channels else { return (fit, 0) }
    let actual = ResidualFit(
      imageCount: fit.imageCount, channels: fit.channels, predictors: fit.predictors,
      effectivePredictors: sums.totalLeverage - Double(fit.means), means: fit.means)
    return (actual, 0.5 * (fit.expectedLogDeterminant - actual.expectedLogDeterminant))
  }

  func gaussianFits() -> [TokenFits] {
    factorization.steps.flatMap { step in
      step.sequentialFits.map { fit in
        TokenFits(
          sequential: WeightedScatter(gaussian: fit),
          parallel: WeightedScatter(gaussian: step.parallelFit),
          freedom: (fit.degreesOfFreedom, step.parallelFit.degreesOfFreedom),
          added: fit.predictors - step.parallelFit.predictors, isFallback: false,
          adjustment: (0, 0))
      }
    }
  }
}
