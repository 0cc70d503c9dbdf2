import LinearAlgebra
import TokenData

/// The images' influences on the entropies of an order, scaled so that the standard error of their mean is that of the
/// entropy.
struct OrderInfluences: Sendable {
  /// By position.
  var sequential: [RunSums]
  var parallel: [RunSums]
  var increase: [RunSums]
  /// By step.
  var steps: [RunSums]
  /// By image: on the sum of all increases, and on that of all sequential entropies.
  var totals: [Double] = []
  var joint: [Double] = []

  /// Adds those of the images that come next.
  mutating func add(_ other: OrderInfluences) {
    for k in sequential.indices {
      sequential[k].add(other.sequential[k])
      parallel[k].add(other.parallel[k])
      increase[k].add(other.increase[k])
    }
    for k in steps.indices { steps[k].add(other.steps[k]) }
    totals += other.totals
    joint += other.joint
  }
}

extension OrderPass {
  func influences(
    of fits: [TokenFits], over features: some TokenFeatures,
    stored: ChunkStore<[WhitenedRows<Scalar>]>?
  ) throws -> OrderInfluences {
    let (n, d, m) = (
      factorization.order.grid.cellCount, factorization.channels, factorization.imageCount
    )
    let half = 0.5 * Double(d)
    let scales = fits.map(scales)
    let empty = OrderInfluences(
      sequential: scales.map { RunSums(shift: $0.sequential * half) },
      parallel: scales.map { RunSums(shift: $0.parallel * half) },
      increase: Array(repeating: RunSums(shift: 0), count: n),
      steps: Array(repeating: RunSums(shift: 0), count: factorization.steps.count))
    let stepOfPosition = factorization.steps.enumerated().flatMap { index, step in
      step.sequentialFits.map { _ in index }
    }
    let store = ChunkStore<OrderInfluences>()
    try parallelFor(chunks.chunks.count) { chunk in
      var result = empty
      try forEachBlock(of: chunk, in: features, stored: stored) { images, rows in
        let starts = chunks.starts[images]
        let none = [Double](repeating: 0, count: images.count)
        var norms = [Scalar](repeating: 0, count: images.count)
        var (sequential, parallel, step) = (none, none, none)
        var (totals, joint) = (none, none)
        forEachToken(of: images, in: rows) { position, token in
          let (fit, scale) = (fits[position], scales[position])
          token.rows.norms(
            from: token.sequentialColumn, channels: d, transformedBy: fit.sequential.transform,
            into: &norms)
          fit.sequential.influences(
            norms, count: images.count, weights: token.sequential.weights, imageCount: m,
            into: &sequential)
          joint.add(sequential, times: scale.sequential)
          guard let (residuals, column) = token.parallelRows else {
            sequential.scale(by: scale.sequential)
            result.sequential[position].add(sequential, starts: starts)
            result.parallel[position].add(sequential, starts: starts)
            result.increase[position].add(none, starts: starts)
            if position > 0 {
              result.steps[stepOfPosition[position - 1]].add(step, starts: starts)
              step = none
            }
            return
          }
          residuals.norms(
            from: column, channels: d, transformedBy: fit.parallel.transform, into: &norms)
          fit.parallel.influences(
            norms, count: images.count, weights: token.parallel.weights, imageCount: m,
            into: &parallel)
          var increase = none
          increase.set(parallel, minus: sequential, times: scale.increase)
          step.add(increase, times: 1)
          totals.add(increase, times: 1)
          sequential.scale(by: scale.sequential)
          parallel.scale(by: scale.parallel)
          result.sequential[position].add(sequential, starts: starts)
          result.parallel[position].add(parallel, starts: starts)
          result.increase[position].add(increase, starts: starts)
        }
        if n > 0 { result.steps[stepOfPosition[n - 1]].add(step, starts: starts) }
        result.totals += totals
        result.joint += joint
      }
      store.set(chunk, result)
    }
    var influences = empty
    for chunk in chunks.chunks.indices {
      if let part = store.value(of: chunk) { influences.add(part) }
    }
    return influences
  }
}

extension [Double] {
  fileprivate mutating func scale(by factor: Double) {
    withUnsafeMutableBufferPointer { for i in $0.indices { $0[i] *= factor } }
  }

  fileprivate mutating func add(_ other: [Double], times factor: Double) {
    withUnsafeMutableBufferPointer { own in
      other.withUnsafeBufferPointer { for i in own.indices { own[i] += factor * $0[i] } }
    }
  }

  fileprivate mutating func set(_ first: [Double], minus second: [Double], times factor: Double) {
    withUnsafeMutableBufferPointer { own in
      first.withUnsafeBufferPointer { first in
        second.withUnsafeBufferPointer {
          for i in own.indices { own[i] = factor * (first[i] - $0[i]) }
        }
      }
    }
  }
}
