import LinearAlgebra
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import VisualTokenizers

@Suite struct PatchTokenizerTests {
  let patchSize = 4
  let images = (0..<12).map { syntheticImage(width: 20, height: 16, seed: UInt64($0)) }

  /// All patches of the test images.
  var patches: [UInt8] {
    images.flatMap { PatchProjection.patches(of: $0, patchSize: patchSize, cells: nil) }
  }

  func tokenizer(codes: Int = 40, dimensions: Int = 6) throws -> PatchTokenizer {
    try PatchTokenizer(
      patches: patches, patchSize: patchSize, codes: codes, featureDimensions: dimensions)
  }

  @Test func patchesAreInRasterOrder() {
    var image = RGBImage(width: 6, height: 4)
    for i in image.pixels.indices { image.pixels[i] = UInt8(i) }
    let patches = PatchProjection.patches(of: image, patchSize: 2, cells: nil)
    #expect(patches.count == 6 * 12)
    for (cell, patch) in stride(from: 0, to: 72, by: 12).enumerated() {
      for row in 0..<2 {
        for i in 0..<6 {
          let expected = ((cell / 3 * 2 + row) * 6 + cell % 3 * 2) * 3 + i
          #expect(patches[patch + row * 6 + i] == UInt8(expected))
        }
      }
    }
    #expect(
      PatchProjection.patches(of: image, patchSize: 2, cells: [4])[...] == patches[48..<60])
  }

  /// Principal components by power iteration on a covariance summed element by element.
  @Test func theBasisIsThatOfASlowReference() throws {
    let columns = 48
    let rows = stride(from: 0, to: patches.count, by: columns).map { start in
      patches[start..<(start + columns)].map { Double($0) }
    }
    let mean = (0..<columns).map { j in rows.map { $0[j] }.reduce(0, +) / Double(rows.count) }
    var covariance = [[Double]](
      repeating: [Double](repeating: 0, count: columns), count: columns)
    for row in rows {
      for i in 0..<columns {
        for j in 0..<columns {
          covariance[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / Double(rows.count)
        }
      }
    }
    let projection = try tokenizer(dimensions: 2).projection
    var values: [Double] = []
    var vectors: [[Double]] = []
    for _ in 0..<2 {
      var vector = (0..<columns).map { 1 + 0.1 * Double($0 % 7) }
      var value = 0.0
      for _ in 0..<200 {
        var next = covariance.map { zip($0, vector).map(*).reduce(0, +) }
        value = next.map { $0 * $0 }.reduce(0, +).squareRoot()
        next = next.map { $0 / value }
        vector = next
      }
      values.append(value)
      vectors.append(vector)
      for i in 0..<columns {
        for j in 0..<columns { covariance[i][j] -= value * vector[i] * vector[j] }
      }
    }
    // The unit is the length that makes the mean square of a feature 1.
    let unit = values.reduce(0, +).squareRoot()
    for k in 0..<2 {
      let agreement = (0..<columns).reduce(0.0) {
        $0 + vectors[k][$1] * Double(projection.basis[k, $1]) / unit
      }
      #expect(abs(abs(agreement) - 1) < 1e-4)
    }
    #expect(zip(projection.mean, mean).allSatisfy { abs(Double($0) - $1) < 1e-3 })
  }

  @Test func featuresAreCentredUncorrelatedAndOfUnitLength() throws {
    let tokenizer = try tokenizer()
    let features = images.flatMap { tokenizer.projection.features(of: $0) }.map(Double.init)
    let d = 6
    let count = Double(features.count / d)
    for i in 0..<d {
      let mean = stride(from: i, to: features.count, by: d).reduce(0.0) { $0 + features[$1] }
      #expect(abs(mean / count) < 1e-4)
      for j in 0..<i {
        let product = stride(from: 0, to: features.count, by: d).reduce(0.0) {
          $0 + features[$1 + i] * features[$1 + j]
        }
        #expect(abs(product / count) < 1e-4)
      }
    }
    #expect(abs(features.reduce(0) { $0 + $1 * $1 } / count - 1) < 1e-4)
  }

  /// With every component and every patch its own code nothing is lost but rounding.
  @Test func completeTokenizersAreExact() throws {
    let few = Array(images.prefix(2))
    let tokenizer = try PatchTokenizer(
      patches: few.flatMap { PatchProjection.patches(of: $0, patchSize: 4, cells: nil) },
      patchSize: 4, codes: 40, featureDimensions: 39)
    let codes = tokenizer.encode(few)
    #expect(codes.count == 40)
    for (i, image) in few.enumerated() {
      let decoded = tokenizer.decode(
        Array(codes[(i * 20)..<((i + 1) * 20)]), rows: 4, columns: 5)
      #expect(largestDifference(decoded, image) <= 1)
    }
  }

  @Test func moreCodesAndComponentsDecodeBetter() throws {
    func error(_ tokenizer: PatchTokenizer) -> Double {
      let codes = tokenizer.encode(images)
      var sum = 0.0
      for (i, image) in images.enumerated() {
        let decoded = tokenizer.decode(
          Array(codes[(i * 20)..<((i + 1) * 20)]), rows: 4, columns: 5)
        for (a, b) in zip(image.pixels, decoded.pixels) {
          sum += (Double(a) - Double(b)) * (Double(a) - Double(b))
        }
      }
      return sum / Double(images.count * 20 * 16 * 3)
    }
    let coarse = error(try tokenizer(codes: 4, dimensions: 2))
    let middle = error(try tokenizer(codes: 40, dimensions: 2))
    let fine = error(try tokenizer(codes: 100, dimensions: 8))
    #expect(fine < middle && middle < coarse)
  }

  /// The codes are those of the nearest codebook rows, found slowly.
  @Test func encodesToTheNearestCode() throws {
    let tokenizer = try tokenizer()
    let codes = tokenizer.encode(Array(images.prefix(3)))
    let features = images.prefix(3).flatMap { tokenizer.projection.features(of: $0) }
    for (token, code) in codes.enumerated() {
      let distances = (0..<tokenizer.codebook.rows).map { row in
        (0..<6).reduce(0.0) {
          let difference = Double(features[token * 6 + $1]) - Double(tokenizer.codebook[row, $1])
          return $0 + difference * difference
        }
      }
      #expect(distances[Int(code)] <= (distances.min() ?? 0) + 1e-5)
    }
    #expect(tokenizer.encode([]).isEmpty)
  }

  @Test func aFileHoldsTheWholeTokenizer() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("codes.h5")
    let tokenizer = try tokenizer()
    let codes = tokenizer.encode(images)
    let dataset = try TokenDataset(
      name: "test", grid: TokenGrid(rows: 4, columns: 5),
      tokens: .codes(codes, codebook: tokenizer.codebook), decoder: tokenizer.decoderParameters)
    try dataset.write(to: path)
    let file = try TokenDatasetFile(path: path)
    #expect(try PatchTokenizer(of: file).encode(images) == codes)
    let decoded = try TokenImages(of: file).image(3)
    #expect(decoded == tokenizer.decode(Array(codes[60..<80]), rows: 4, columns: 5))
    #expect(decoded == (try TokenImages(of: dataset).image(3)))
  }

  /// The frames of a video are shown side by side.
  @Test func framesStandSideBySide() throws {
    let tokenizer = try tokenizer()
    let codes = tokenizer.encode(Array(images.prefix(2)))
    let dataset = try TokenDataset(
      name: "video", grid: TokenGrid(frames: 2, rows: 4, columns: 5),
      tokens: .codes(codes, codebook: tokenizer.codebook), decoder: tokenizer.decoderParameters)
    let strip = try TokenImages(of: dataset).image(0)
    var expected = RGBImage(width: 40, height: 16)
    expected.draw(tokenizer.decode(Array(codes[..<20]), rows: 4, columns: 5), left: 0, top: 0)
    expected.draw(tokenizer.decode(Array(codes[20...]), rows: 4, columns: 5), left: 20, top: 0)
    #expect(strip == expected)
  }

  // MARK: What is refused

  @Test func refusesNumbersThatMakeNoSense() {
    #expect(throws: PatchTokenizerError.invalidCodeCount(0)) { try tokenizer(codes: 0) }
    #expect(throws: PatchTokenizerError.invalidFeatureDimensions(0, patchSize: 4)) {
      try tokenizer(dimensions: 0)
    }
    #expect(throws: PatchTokenizerError.invalidFeatureDimensions(49, patchSize: 4)) {
      try tokenizer(dimensions: 49)
    }
    #expect(throws: KMeansError.self) { try tokenizer(codes: 1000) }
  }

  @Test func refusesPatchesWithoutVariation() {
    let flat = [UInt8](repeating: 7, count: 48 * 10)
    #expect(throws: PatchTokenizerError.tooLittleVariation(directions: 0, wanted: 1)) {
      try PatchTokenizer(patches: flat, patchSize: 4, codes: 1, featureDimensions: 1)
    }
  }

  func dataset(decoder: TokenDecoderParameters?) throws -> TokenDataset {
    try TokenDataset(
      name: "test", grid: TokenGrid(rows: 1, columns: 1),
      tokens: .codes([0], codebook: FloatMatrix(rows: 1, columns: 2)), decoder: decoder)
  }

  @Test func refusesDatasetsItCannotDecode() throws {
    #expect(throws: ImageDecoderError.noDecoder("test")) {
      try TokenImages(of: dataset(decoder: nil))
    }
    #expect(throws: ImageDecoderError.unknownDecoder("test", kind: "other")) {
      try TokenImages(of: dataset(decoder: TokenDecoderParameters(kind: "other", arrays: [:])))
    }
    let mean = TokenDecoderParameters.Parameter(
      shape: [2, 2, 3], values: Array(repeating: 0, count: 12))
    for arrays in [
      [:], ["mean": mean],
      ["mean": mean, "basis": .init(shape: [3, 2, 2, 3], values: Array(repeating: 0, count: 36))],
      ["mean": .init(shape: [12], values: Array(repeating: 0, count: 12)), "basis": mean],
      [
        "mean": mean,
        "basis": .init(shape: [2, 2, 2, 3], values: Array(repeating: .nan, count: 24)),
      ],
    ] {
      let error = #expect(throws: ImageDecoderError.self) {
        try TokenImages(
          of: dataset(
            decoder: TokenDecoderParameters(kind: PatchTokenizer.decoderKind, arrays: arrays)))
      }
      #expect(error?.description.hasPrefix("test: the parameters in /decoder do not fit") == true)
    }
  }
}
