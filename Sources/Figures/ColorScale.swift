import Foundation

/// Which end of a colour scale is dark.
public enum DarkEnd: Sendable {
  /// Small values are dark: entropies, where low means strong dependence.
  case low
  /// Large values are dark: entropy increases, where large means hard to predict.
  case high
}

/// From values to how dark they are drawn; what figures and terminal previews share.
///
/// The darkness of a value is `u^gamma`, with u the fraction of the way from the light to the dark
/// end. A gamma below 1 spends more of the ramp near the light end.
public struct ColorScale: Equatable, Sendable {
  /// The smallest value of the scale.
  public let low: Double
  /// The largest value of the scale.
  public let high: Double
  /// Which end is dark.
  public let darkEnd: DarkEnd
  /// The exponent; 1 is linear.
  public let gamma: Double

  /// Makes a scale; a range of no width is widened, so that every scale can be drawn.
  ///
  /// - Precondition: the bounds are finite and in order, and gamma is positive.
  public init(low: Double, high: Double, darkEnd: DarkEnd, gamma: Double = 1) {
    precondition(low.isFinite && high.isFinite && low <= high && gamma > 0, "not a colour scale")
    let widening = high > low ? 0 : max(abs(low) * 0.05, 0.05)
    self.low = low - widening
    self.high = high + widening
    self.darkEnd = darkEnd
    self.gamma = gamma
  }

  /// The scale from the smallest to the largest finite value, with a gamma that keeps the typical
  /// value visible; nil when no value is finite.
  ///
  /// Dependence falls off so fast with distance that on a linear scale all but the nearest cells
  /// are equally pale. Gamma is chosen, between 0.5 and 1 in steps of 0.05, to bring the median
  /// value up to a sixth of the ramp.
  /// - Complexity: O(n log n).
  public static func fitting(_ values: some Sequence<Double>, darkEnd: DarkEnd) -> ColorScale? {
    let sorted = values.filter(\.isFinite).sorted()
    guard let low = sorted.first, let high = sorted.last else { return nil }
    let linear = ColorScale(low: low, high: high, darkEnd: darkEnd)
    let median = linear.darkness(of: sorted[sorted.count / 2])
    // A median at the light end itself calls for all the help that gamma may give.
    let exact = median > 0 ? log(typicalDarkness) / log(median) : 0
    let gamma = min(max((exact * 20).rounded() / 20, 0.5), 1)
    return ColorScale(low: low, high: high, darkEnd: darkEnd, gamma: gamma)
  }

  private static let typicalDarkness = 1.0 / 6

  /// How dark `value` is drawn, from 0 (light) to 1 (dark); values outside the scale take its ends,
  /// and NaN is NaN.
  public func darkness(of value: Double) -> Double {
    guard !value.isNaN else { return .nan }
    let fraction = min(max((value - low) / (high - low), 0), 1)
    return pow(darkEnd == .high ? fraction : 1 - fraction, gamma)
  }
}
