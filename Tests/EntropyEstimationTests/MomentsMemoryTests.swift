import LinearAlgebra
import SystemResources
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import EntropyEstimation

/// Tokens of any extents that nobody reads.
private struct UnreadTokens: TokenFeatures {
  let name = "unread.h5"
  var grid = TokenGrid(rows: 32, columns: 32)
  var imageCount = 14_000
  var featureDimensions = 12

  struct Read: Error {}
  func features(ofImages images: Range<Int>) throws -> [Float] { throw Read() }
}

private func free(_ bytes: Double) -> AvailableMemory {
  AvailableMemory(bytes: bytes, limit: .machine)
}

@Suite("Memory of moments")
struct MomentsMemoryTests {
  @Test("The sums of products are there once")
  func sums() {
    let bytes = MomentsMemory.ofSums.bytes(tokens: 1024, coordinates: 12)
    let copy = 8.0 * 12_288 * 12_288
    // What comes to it grows with n·d, not with its square.
    #expect(bytes > copy && bytes < 1.1 * copy)
  }

  @Test(
    "Every order that is factored at the same time takes a copy, and the pass over the images half of one"
  )
  func orders() throws {
    let tokens = UnreadTokens()
    let raster = try GenerationOrder.raster(on: tokens.grid, tokensPerStep: 4)
    let closed = EstimationSettings(bound: .wishart, errors: .gaussian)
    func memory(_ orders: [GenerationOrder], _ settings: EstimationSettings) -> MomentsMemory {
      MomentsMemory(factoring: orders, of: tokens, settings, available: nil)
    }
    #expect(memory([raster], closed).copies == 2)
    #expect(memory([raster], EstimationSettings()).copies == 2.5)
    let lanes = Double(OrderEstimator.lanes(for: [raster, raster]))
    #expect(memory([raster, raster], closed).copies == 1 + lanes)
    // Whitened images are stored up to a limit only, so that many images take no more than some.
    let some = memory([raster], EstimationSettings()).bytes(tokens: 1024, coordinates: 12)
    let many = MomentsMemory(
      factoring: [raster], of: UnreadTokens(imageCount: 12_800_000), EstimationSettings()
    ).bytes(tokens: 1024, coordinates: 12)
    #expect(many == some)
  }

  @Test("Where memory is short, fewer orders are factored at the same time")
  func fewerTogether() throws {
    let tokens = UnreadTokens()
    let orders = try [1, 2, 4, 8].map {
      try GenerationOrder.raster(on: tokens.grid, tokensPerStep: $0)
    }
    let most = OrderEstimator.lanes(for: orders)
    let copy = 8.0 * 12_288 * 12_288
    let closed = EstimationSettings(bound: .wishart, errors: .gaussian)
    for lanes in 1...most {
      let memory = MomentsMemory(
        factoring: orders, of: tokens, closed, available: free((1.9 + Double(lanes)) * copy))
      #expect(memory.ordersTogether == lanes && memory.copies == Double(1 + lanes))
      try memory.require(for: tokens, available: free((1.9 + Double(lanes)) * copy))
    }
    // Not even one fits: the refusal is of what one takes.
    let lack = free(1.5 * copy)
    let memory = MomentsMemory(factoring: orders, of: tokens, closed, available: lack)
    #expect(memory.ordersTogether == 1)
    #expect(throws: EstimationError.self) { try memory.require(for: tokens, available: lack) }
    let unlimited = MomentsMemory(factoring: orders, of: tokens, closed, available: nil)
    #expect(unlimited.ordersTogether == most)
  }

  @Test("Beside moments that are there an order takes a copy, and a pass what it whitens with")
  func besideMoments() throws {
    let grid = TokenGrid(rows: 16, columns: 16)
    let moments = TokenMoments(
      name: "moments.h5", grid: grid, featureDimensions: 12, imageCount: 4000,
      mean: Array(repeating: 0, count: 3072), scatter: Matrix(rows: 3072, columns: 3072),
      roundingScale: nil)
    let orders = try [1, 2, 4, 8].map {
      try GenerationOrder.raster(on: grid, tokensPerStep: $0)
    }
    let copy = 8.0 * 3072 * 3072
    let most = OrderEstimator.lanes(for: orders)
    for lanes in 1...most {
      #expect(
        try MomentsMemory.ordersTogether(
          orders, beside: moments, available: free((0.5 + Double(lanes)) * copy)) == lanes)
    }
    let error = #expect(throws: EstimationError.self) {
      try MomentsMemory.ordersTogether(orders, beside: moments, available: free(0.9 * copy))
    }
    #expect("\(try #require(error))".contains("an order of 3072 numbers, beside the moments, take"))
    try MomentsMemory.requireFactor(copies: 2, beside: moments, available: free(2.1 * copy))
    #expect(throws: EstimationError.self) {
      try MomentsMemory.requireFactor(copies: 2, beside: moments, available: free(1.9 * copy))
    }
    #expect(throws: InsufficientMemory.self) {
      try MomentsMemory.requireMeans(ofClasses: 1000, numbers: 20_000, available: free(1e8))
    }
    try MomentsMemory.requireMeans(ofClasses: 1000, numbers: 20_000, available: free(2e8))
  }

  @Test("The channels that a refusal names fit, and one more do not", arguments: [1e9, 3e9, 20e9])
  func advice(bytes: Double) throws {
    let wide = UnreadTokens(imageCount: 900_000, featureDimensions: 64)
    let raster = try GenerationOrder.raster(on: wide.grid, tokensPerStep: 4)
    func memory(_ tokens: UnreadTokens) -> MomentsMemory {
      MomentsMemory(factoring: [raster], of: tokens, EstimationSettings())
    }
    let error = #expect(throws: EstimationError.self) {
      try memory(wide).require(for: wide, available: free(bytes))
    }
    guard case .tooLittleMemory("unread.h5", let lack, let fitting, 64) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(lack.needed == memory(wide).bytes(tokens: 1024, coordinates: 64))
    #expect((1..<64).contains(fitting))
    var tokens = wide
    tokens.featureDimensions = fitting
    try memory(tokens).require(for: tokens, available: free(bytes))
    tokens.featureDimensions = fitting + 1
    #expect(throws: EstimationError.self) {
      try memory(tokens).require(for: tokens, available: free(bytes))
    }
  }

  @Test("Coordinates that a regressor adds are not counted among the channels that fit")
  func addedCoordinates() {
    // 4 channels and 28 functions: nothing but fewer functions would do.
    let tokens = UnreadTokens(featureDimensions: 32)
    let error = #expect(throws: EstimationError.self) {
      try MomentsMemory(copies: 1).require(for: tokens, channels: 4, available: free(1e9))
    }
    guard case .tooLittleMemory(_, _, let fitting, 4) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(fitting == 0)
    #expect(error?.remedies == [])
  }

  @Test("Sums that do not fit are refused before an image is read")
  func beforeReading() {
    // 2⁴⁰ numbers squared: no machine has them.
    let tokens = UnreadTokens(grid: TokenGrid(rows: 1024, columns: 1024), featureDimensions: 1024)
    let error = #expect(throws: EstimationError.self) { try TokenMoments(of: tokens) }
    guard case .tooLittleMemory = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
