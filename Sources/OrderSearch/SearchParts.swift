import Statistics

/// The three parts of the images of a search: sequences and sizes are fitted to one, the best is chosen by a second, and what it
/// loses is estimated from a third, which has taken no part.
public struct SearchParts: Hashable, Sendable {
  /// Numbers of images, in the order of the data.
  public let fit, selection, report: [Int]
  /// How many images are fitted to: those of ``fit``, or others whose sums are known.
  public let fitCount: Int

  /// The shares of the images.
  public struct Shares: Hashable, Sendable {
    /// Of the part fitted to and of that which the best is chosen by; the rest is the report's.
    public var fit, selection: Double

    /// Makes shares.
    ///
    /// - Precondition: both are positive and leave something.
    public init(fit: Double, selection: Double) {
      precondition(fit > 0 && selection > 0 && fit + selection < 1, "three parts")
      self.fit = fit
      self.selection = selection
    }

    /// The shares that suit m images of D numbers: the report is given 1¾ images a number, from which on its estimates are without bias,
    /// but at least a third and at most four fifths of the images; two thirds of the rest are fitted to.
    public init(imageCount m: Int, numbers: Int) {
      let report = min(max(1.75 * Double(numbers) / Double(m), 1.0 / 3), 0.8)
      self.init(fit: (1 - report) * 2 / 3, selection: (1 - report) / 3)
    }
  }

  /// Divides images at random; those of one photograph stay together.
  ///
  /// - Complexity: O(m).
  public init(imageCount: Int, shares: Shares, seed: UInt64, groups: [UInt32]? = nil) {
    var generator = SeededGenerator(seed: seed, stream: 11)
    let all = Photographs(groups, imageCount: imageCount)
    let (fit, others) = all.split(
      drawing: Int((shares.fit * Double(imageCount)).rounded()), &generator)
    let rest = Photographs(
      others.map { groups?[$0] ?? UInt32($0) }, imageCount: others.count)
    let (selection, report) = rest.split(
      drawing: Int((shares.selection * Double(imageCount)).rounded()), &generator)
    self.fit = fit
    fitCount = fit.count
    self.selection = selection.map { others[$0] }
    self.report = report.map { others[$0] }
  }

  /// Divides images in two, to choose by and for the report, where sequences and sizes are fitted to others.
  ///
  /// - Parameters:
  ///   - share: Of the images that choose.
  ///   - fitCount: How many others are fitted to.
  /// - Complexity: O(m).
  public init(
    imageCount: Int, choosing share: Double, fittedTo fitCount: Int, seed: UInt64,
    groups: [UInt32]? = nil
  ) {
    var generator = SeededGenerator(seed: seed, stream: 11)
    let all = Photographs(groups, imageCount: imageCount)
    fit = []
    self.fitCount = fitCount
    (selection, report) = all.split(
      drawing: Int((share * Double(imageCount)).rounded()), &generator)
  }
}
