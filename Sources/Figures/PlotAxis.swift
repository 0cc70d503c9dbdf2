import Foundation

/// The range of an axis, whether it is logarithmic, and where its ticks are.
struct PlotAxis: Equatable {
  let range: ClosedRange<Double>
  let isLogarithmic: Bool

  /// The axis that shows some curves.
  ///
  /// On a logarithmic axis, values of 0 and below have no place, and values that are positive by
  /// chance, smaller than their standard error, would stretch it over empty decades. It therefore
  /// reaches down to the smallest value that exceeds its error; what is not above the lower bound
  /// of ``range`` has to be marked at the edge.
  /// - Parameters:
  ///   - curves: the values of each curve; those that are not finite do not count.
  ///   - errors: as many standard errors; the axis is long enough for their bars.
  ///   - startsAtZero: whether a linear axis begins at 0 when no value is below it.
  ///   - padding: the empty part at both ends, as a fraction of the axis.
  init(
    curves: [[Double]], errors: [[Double?]] = [], scale: CurveFigure.Scale,
    startsAtZero: Bool = false,
    padding: Double
  ) {
    var values: [Double] = []
    var significant: [Double] = []
    var ends: [Double] = []
    for (index, curve) in curves.enumerated() {
      for (position, value) in curve.enumerated() where value.isFinite {
        var error = index < errors.count ? errors[index][position] ?? 0 : 0
        if !error.isFinite { error = 0 }
        values.append(value)
        if value > error { significant.append(value) }
        ends += [value - error, value + error]
      }
    }
    let positive = values.filter { $0 > 0 }
    if let start = significant.min() ?? positive.min(), let high = positive.max(),
      scale.isLogarithmic(low: start, high: high)
    {
      let end = max(high, ends.max() ?? high)
      let margin = max(pow(end / start, padding), 1.1)
      range = start / margin...end * margin
      isLogarithmic = true
    } else {
      let (low, high) = (ends.min() ?? 0, ends.max() ?? 1)
      let width = high > low ? high - low : max(abs(high) * 0.1, 0.1)
      let start = startsAtZero && low >= 0 ? 0 : low - padding * width
      range = start...high + padding * width
      isLogarithmic = false
    }
  }

  /// Round numbers along the axis: multiples of 1, 2 or 5 times a power of ten, or on a logarithmic
  /// axis 1, 2 and 5 of each decade, and powers of ten alone where there are many.
  var ticks: [Double] {
    let (low, high) = (range.lowerBound, range.upperBound)
    if isLogarithmic {
      let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
      let steps: [Double] = log10(high / low) > 3.5 ? [1] : [1, 2, 5]
      let ticks = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
        .filter(range.contains)
      if ticks.count >= 2 { return ticks }
    }
    let rough = (high - low) / 7
    let decade = pow(10, log10(rough).rounded(.down))
    let step = ([1, 2, 5].first { $0 * decade >= rough } ?? 10) * decade
    let first = Int((low / step).rounded(.up))
    let last = Int((high / step).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// The ticks as texts, without the rounding errors of their multiplication.
  var tickLabels: [String] { ticks.map { String(format: "%.6g", $0) } }
}

extension CurveFigure.Scale {
  fileprivate func isLogarithmic(low: Double, high: Double) -> Bool {
    switch self {
    case .linear, .compressed: false
    case .logarithmic: true
    case .automatic(let factor): high > factor * low
    }
  }
}
