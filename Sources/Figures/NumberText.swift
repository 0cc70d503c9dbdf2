import Foundation

/// Numbers as figures and previews print them.
enum NumberText {
  /// `number` with commas between groups of three digits.
  static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + text
  }

  /// `value` with three significant digits, and all digits before the point.
  static func rounded(_ value: Double) -> String {
    guard value.isFinite else { return "n/a" }
    if abs(value) >= 1000, abs(value) < 1e15 { return grouped(Int(value.rounded())) }
    return String(format: "%.3g", value)
  }

  /// `value ± error`, both to the second significant digit of the error; the value alone where
  /// there is none.
  static func rounded(_ value: Double, error: Double?) -> String {
    guard let error, error.isFinite, error > 0, value.isFinite else { return rounded(value) }
    let decimals = min(max(1 - Int(log10(error).rounded(.down)), 0), 12)
    return String(format: "%.\(decimals)f ± %.\(decimals)f", value, error)
  }
}
