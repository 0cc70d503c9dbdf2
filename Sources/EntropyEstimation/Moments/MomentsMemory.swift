import LinearAlgebra
import SystemResources
import TokenData
import TokenGrids

/// What estimates from the sums of products of all tokens take of memory at their peak, besides the tokens themselves; told
/// before anything is taken.
///
/// The sums have (n·d)² numbers, of 8 bytes: that many is one copy. Everything else grows with n·d, and, but for what is
/// said of it, not with m.
package struct MomentsMemory: Sendable {
  /// How many times (n·d)² numbers of double precision there are at the same time.
  var copies: Double
  /// Bytes for each of the n·d numbers of an image.
  var bytesPerNumber = 0.0
  /// How many orders are factored at the same time; 1 where that is not what takes the memory.
  private(set) var ordersTogether = 1
  /// Bytes for each of the d² products of a token with itself, for all n tokens.
  var bytesPerProduct = 0.0

  /// Sums are formed once, in place: from the summing of what neighbours do not predict to the scatter itself. Beside them
  /// are a block of images, packed twice in single precision, and the images that the prediction is fitted to.
  static let ofSums = MomentsMemory(
    copies: 1, bytesPerNumber: Double(2 * ScatterSum.rowsPerBlock + 1024) * 4)

  /// Some copies and nothing else.
  package init(copies: Double) { self.copies = copies }

  private init(copies: Double, bytesPerNumber: Double) {
    self.copies = copies
    self.bytesPerNumber = bytesPerNumber
  }

  /// What ``OrderEstimator`` takes for least squares: the sums, an arrangement of them that becomes an order's factor for each
  /// order that is factored at the same time, and a factor in the precision of the pass over the images, with images that
  /// it has whitened.
  ///
  /// Where memory does not suffice for as many orders at a time as there could be, there are fewer.
  init(
    factoring orders: [GenerationOrder], of features: some TokenFeatures,
    _ settings: EstimationSettings, available: AvailableMemory? = .now
  ) {
    let (n, width) = (features.grid.cellCount, features.featureDimensions)
    let possible = (1...OrderEstimator.lanes(for: orders)).map {
      MomentsMemory(factoring: $0, of: features, settings)
    }
    let free = available?.bytes ?? .infinity
    self = possible.last { $0.bytes(tokens: n, coordinates: width) <= free } ?? possible[0]
  }

  private init(
    factoring ordersTogether: Int, of features: some TokenFeatures, _ settings: EstimationSettings
  ) {
    self.ordersTogether = ordersTogether
    let lanes = Double(ordersTogether)
    copies = 1 + lanes
    // The rows of the inverse factor.
    if settings.shrinkage != .none { copies += lanes }
    if settings.bound == .heldOut {
      // A block of images in double precision: as they are, whitened, and their residuals.
      bytesPerNumber = lanes * 256 * 8 * 4
    } else if settings.bound == .debiased || settings.errorKind == .robust {
      copies += 0.5
      let numbers = features.grid.cellCount * features.featureDimensions
      let threads = Double(BLAS.threads)
      let block = Double(min(ImageChunks.imagesPerBlock, features.imageCount)) * 4
      let all = Double(features.imageCount) * 4
      let isStored = all * Double(numbers) <= Double(OrderPass<Float>.storageLimit)
      // Blocks as they are read, and whitened ones: all, or one for each thread.
      bytesPerNumber = threads * block + (isStored ? all : threads * block)
      // Sums for each chunk of images.
      bytesPerProduct = 16 * 4 * 8
    }
  }

  /// What ``StepCostEstimator`` takes: the sums, a factor, and for the debiased bound all whitened images.
  init(costsOf features: some TokenFeatures, _ settings: EstimationSettings) {
    copies = 2
    guard settings.bound == .debiased else { return }
    copies += 0.5
    bytesPerNumber = Double(features.imageCount) * 4
    // Leverages and weights, 8 bytes for each token of an image, are few beside that.
  }

  /// How many orders are factored at the same time beside moments that are there, each of which takes a copy of them.
  ///
  /// - Throws: ``EstimationError/tooLittleMemory(source:_:largestFeatureDimensions:channels:)`` where one does not fit.
  static func ordersTogether(
    _ orders: [GenerationOrder], beside moments: TokenMoments, available: AvailableMemory? = .now
  ) throws(EstimationError) -> Int {
    try requireFactor(beside: moments, available: available)
    let numbers = Double(moments.scatter.rows)
    let fitting = (available?.bytes ?? .infinity) / max(8 * numbers * numbers, 1)
    let most = OrderEstimator.lanes(for: orders)
    return fitting < Double(most) ? max(Int(fitting), 1) : most
  }

  /// Refuses to factor an order where memory does not suffice for it beside moments that are there.
  ///
  /// - Parameter copies: What is taken besides the moments; 1 for the factor alone, and half of one, or one in double precision,
  ///   for the factor that a pass over images whitens with.
  /// - Throws: ``EstimationError/tooLittleMemory(source:_:largestFeatureDimensions:channels:)``.
  package static func requireFactor(
    copies: Double = 1, beside moments: TokenMoments, available: AvailableMemory? = .now
  ) throws(EstimationError) {
    let numbers = Double(moments.scatter.rows)
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        8 * copies * numbers * numbers,
        for: "the factors of an order of \(moments.scatter.rows) numbers, beside the moments,",
        available: available)
    } catch {
      // Moments that are there are of so many channels.
      throw .tooLittleMemory(
        source: moments.name, error, largestFeatureDimensions: 0,
        channels: moments.featureDimensions)
    }
  }

  /// Refuses means of more classes than memory holds.
  ///
  /// - Throws: `InsufficientMemory`.
  package static func requireMeans(
    ofClasses count: Int, numbers: Int, available: AvailableMemory? = .now
  ) throws(InsufficientMemory) {
    try InsufficientMemory.check(
      8 * Double(count) * Double(numbers),
      for: "the means of \(count) classes, of \(numbers) numbers each,", available: available)
  }

  /// The bytes for n tokens of d coordinates.
  func bytes(tokens n: Int, coordinates d: Int) -> Double {
    let numbers = Double(n) * Double(d)
    let products = min(bytesPerProduct * numbers * Double(d), bytesPerProduct > 0 ? 256e6 : 0)
    return 8 * copies * numbers * numbers + bytesPerNumber * numbers + products
  }

  /// Refuses features for which memory does not suffice.
  ///
  /// - Parameter channels: d where tokens have more coordinates, which a regressor has added; nil for as many.
  /// - Throws: ``EstimationError/tooLittleMemory(source:_:largestFeatureDimensions:channels:)``, with the channels that fit.
  package func require(
    for features: some TokenFeatures, channels: Int? = nil, available: AvailableMemory? = .now
  ) throws(EstimationError) {
    let (n, width) = (features.grid.cellCount, features.featureDimensions)
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        bytes(tokens: n, coordinates: width),
        for: "products of \(n * width) numbers (\(features.grid) tokens of \(width) channels)"
          + (ordersTogether > 1 ? " with the factors of \(ordersTogether) orders at a time" : ""),
        available: available)
    } catch {
      let channels = channels ?? width
      let free = error.available.bytes
      let fitting = (1..<max(channels, 1)).last {
        bytes(tokens: n, coordinates: $0 + width - channels) <= free
      }
      throw .tooLittleMemory(
        source: features.name, error, largestFeatureDimensions: fitting ?? 0, channels: channels)
    }
  }
}
