import Foundation
import Statistics

extension Double {
  /// The number with `digits` digits behind the point.
  package func fixed(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }

  /// The number with two significant digits and its power of ten.
  package var powerOfTen: String { String(format: "%.1e", self) }

  /// The number with so many significant digits.
  package func significant(_ digits: Int) -> String {
    guard isFinite, self != 0 else { return isFinite ? "0" : "-" }
    let magnitude = Int(log10(abs(self)).rounded(.down))
    return magnitude < -4
      ? String(format: "%.\(digits - 1)e", self) : fixed(Swift.max(0, digits - 1 - magnitude))
  }
}

extension Estimate {
  /// `value ± error`, both with two significant digits of the error and at least as many digits as asked for.
  package func text(digits minimum: Int = 2) -> String {
    guard standardError > 0, standardError.isFinite else { return value.fixed(minimum) }
    let digits = max(minimum, 1 - Int(log10(standardError).rounded(.down)))
    return "\(value.fixed(min(digits, 9))) ± \(standardError.fixed(min(digits, 9)))"
  }
}

extension Int {
  /// The number with commas between thousands.
  package var grouped: String {
    var digits = Array(String(magnitude))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return (self < 0 ? "-" : "") + String(digits)
  }
}
