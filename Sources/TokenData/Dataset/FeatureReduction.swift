import LinearAlgebra

extension TokenDataset {
  /// The same tokens with fewer channels: the leading principal components of their features.
  ///
  /// The covariance is that of all tokens of all images, so a codebook entry weighs as much as it
  /// is used. Features are centred on the overall mean; no channel is rescaled. The result has no
  /// decoder, because the channels are no longer the tokenizer's.
  ///
  /// - Parameter r: how many channels to keep, 1 … d; with r = d the features are only rotated.
  /// - Throws: ``TokenDataError/invalidFeatureDimensions(_:wanted:available:)`` when r is not in
  ///   1 … d, and ``TokenDataError/tooLittleMemory(_:_:fittingImages:)``.
  /// - Complexity: O(m·n + K·d²) for codes, O(m·n·d²) for features.
  public func reduced(toFeatureDimensions r: Int) throws -> TokenDataset {
    let d = featureDimensions
    guard (1...d).contains(r) else {
      throw TokenDataError.invalidFeatureDimensions(path ?? name, wanted: r, available: d)
    }
    let reducedTokens: Tokens
    switch tokens {
    case .codes(let codes, let codebook):
      var counts = [Double](repeating: 0, count: codebook.rows)
      for code in codes { counts[Int(code)] += 1 }
      let projection = try PrincipalProjection(
        rows: codebook.elements, dimensions: d, weights: counts, keeping: r)
      let projected = projection.apply(to: codebook.elements)
      reducedTokens = .codes(
        codes, codebook: FloatMatrix(rows: codebook.rows, columns: r, elements: projected))
    case .features(let features, _):
      // The centred features, and what becomes of them.
      try TokenMemory.require(
        images: imageCount, bytesPerImage: 4 * Double(grid.cellCount * (d + r)),
        for: "principal components", source: path ?? name)
      let projection = try PrincipalProjection(
        rows: features, dimensions: d, weights: nil, keeping: r)
      reducedTokens = .features(projection.apply(to: features), dimensions: r)
    }
    return TokenDataset(
      validated: name, grid: grid, imageCount: imageCount, tokens: reducedTokens, labels: labels,
      imageIDs: imageIDs, attributes: attributes, decoder: nil, path: path)
  }
}

/// The projection of centred rows on the leading eigenvectors of their weighted covariance.
private struct PrincipalProjection {
  private let mean: [Double]
  /// The axes as rows, `r × d`.
  private let axes: FloatMatrix

  init(rows: [Float], dimensions d: Int, weights: [Double]?, keeping r: Int) throws {
    let count = rows.count / d
    var total = 0.0
    var mean = [Double](repeating: 0, count: d)
    for row in 0..<count {
      let weight = weights?[row] ?? 1
      total += weight
      for channel in 0..<d { mean[channel] += weight * Double(rows[row * d + channel]) }
    }
    for channel in 0..<d { mean[channel] /= total }
    var covariance = Matrix(rows: d, columns: d)
    var centred = [Double](repeating: 0, count: d)
    for row in 0..<count {
      let weight = (weights?[row] ?? 1) / total
      guard weight > 0 else { continue }
      for channel in 0..<d { centred[channel] = Double(rows[row * d + channel]) - mean[channel] }
      for i in 0..<d {
        for j in 0...i { covariance[i, j] += weight * centred[i] * centred[j] }
      }
    }
    self.mean = mean
    let eigen = try SymmetricEigen(covariance)
    axes = FloatMatrix(
      rows: r, columns: d, elements: eigen.vectors.elements.prefix(r * d).map { Float($0) })
  }

  func apply(to rows: [Float]) -> [Float] {
    let d = mean.count
    let centre = mean.map { Float($0) }
    var centred = rows
    for row in 0..<(rows.count / d) {
      for channel in 0..<d { centred[row * d + channel] -= centre[channel] }
    }
    return FloatMatrix.product(
      FloatMatrix(rows: rows.count / d, columns: d, elements: centred), axes,
      transposingSecond: true
    ).elements
  }
}
