import LinearAlgebra
import TokenData

/// The tokens of an order, one after the other, in blocks of whitened images, and the sums of their weighted scatters.
extension OrderPass {
  /// A fit's leverages in a block of images.
  struct BlockLeverages {
    var weights: LeverageWeights<Scalar>
    var totalExcess = 0.0
    var totalLeverage = 0.0

    mutating func set(_ leverages: [Double], count: Int) {
      totalExcess = weights.set(leverages: leverages, count: count)
      totalLeverage = 0
      for i in 0..<count { totalLeverage += leverages[i] }
    }
  }

  /// One token in a block of images.
  struct BlockToken {
    /// Whitened rows, of which the channels from `sequentialColumn` are the sequential residual.
    let rows: WhitenedRows<Scalar>
    let sequentialColumn: Int
    let sequential: BlockLeverages
    /// The rows and first column of the parallel residual; nil for the first token of a step.
    let parallelRows: (WhitenedRows<Scalar>, Int)?
    let parallel: BlockLeverages
  }

  func forEachToken(
    of images: Range<Int>, in rows: WhitenedRows<Scalar>, _ body: (Int, BlockToken) -> Void
  ) {
    let (width, d) = (factorization.coordinates, factorization.channels)
    var context = Array(chunks.baseLeverages[images])
    var sequential = BlockLeverages(weights: LeverageWeights(capacity: images.count))
    var parallel = sequential
    var position = 0
    for (step, whitening) in zip(factorization.steps, stepWhitening) {
      let tokens = step.sequentialFits.count
      var residuals: WhitenedRows<Scalar>?
      if tokens > 1 {
        let columns = WhitenedRows<Scalar>(capacity: images.count, columns: tokens * d)
        columns.setProduct(
          of: rows, columns: position * width..<(position + tokens) * width, with: whitening)
        residuals = columns
      }
      for index in 0..<tokens {
        sequential.set(context, count: images.count)
        if index == 0 { parallel = sequential }
        body(
          position,
          BlockToken(
            rows: rows, sequentialColumn: position * width, sequential: sequential,
            parallelRows: index == 0 ? nil : residuals.map { ($0, index * d) }, parallel: parallel))
        rows.addSquaredLengths(columns: position * width..<(position + 1) * width, to: &context)
        position += 1
      }
    }
  }

  /// Sums of a token's sequential fit and of its parallel one; the latter is nil for the first token of a step, whose fits are
  /// the same.
  struct TokenSums: Sendable {
    var sequential: LeverageSums<Scalar>
    var parallel: LeverageSums<Scalar>?
  }

  func sums(
    over features: some TokenFeatures, stored: ChunkStore<[WhitenedRows<Scalar>]>?
  ) throws -> [TokenSums] {
    let d = factorization.channels
    let none = LeverageSums<Scalar>(channels: d, hasJitter: factorization.hasJitter)
    let empty = factorization.steps.flatMap { step in
      step.sequentialFits.indices.map {
        TokenSums(sequential: none, parallel: $0 > 0 ? none : nil)
      }
    }
    let store = ChunkStore<[TokenSums]>()
    try parallelFor(chunks.chunks.count) { chunk in
      var sums = empty
      try forEachBlock(of: chunk, in: features, stored: stored) { images, rows in
        forEachToken(of: images, in: rows) { position, token in
          sums[position].sequential.add(
            token.rows, from: token.sequentialColumn, weights: token.sequential.weights,
            totalExcess: token.sequential.totalExcess,
            totalLeverage: token.sequential.totalLeverage)
          if let (parallel, column) = token.parallelRows {
            sums[position].parallel?.add(
              parallel, from: column, weights: token.parallel.weights,
              totalExcess: token.parallel.totalExcess, totalLeverage: token.parallel.totalLeverage)
          }
        }
      }
      store.set(chunk, sums)
    }
    var result = empty
    for chunk in chunks.chunks.indices {
      for (position, sums) in (store.value(of: chunk) ?? []).enumerated() {
        result[position].sequential.add(sums.sequential)
        if let parallel = sums.parallel { result[position].parallel?.add(parallel) }
      }
    }
    return result
  }
}
