import Foundation

/// Numbers as the page holds them: codes of one or two bytes, in base64.
///
/// Two bytes in equal steps, not Float16, of which browsers have known only of late how to read it: over the range of a map the steps are
/// 20 times finer than Float16's at its largest values, and the error is one number for all.
struct PackedNumbers: Encodable {
  /// What a code means.
  enum Encoding: String, Encodable {
    /// low + step·code in two bytes; 65535 where there is no number.
    case linear16
    /// 0, or low·e^(step·(code − 1)), in one byte; 255 where there is no number.
    case logarithmic8
    /// The code itself, in two bytes.
    case whole16
  }

  let encoding: Encoding
  let low: Double
  let step: Double
  /// The codes, least byte first, in base64.
  let data: String

  /// Numbers to half of a 65,534th of their range; those that are not finite are missing.
  init(linear values: [Double]) {
    let finite = values.lazy.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    let step = high > low ? (high - low) / 65534 : 1
    self.init(
      .linear16, low: low, step: step,
      words: values.map { $0.isFinite ? UInt16((($0 - low) / step).rounded()) : .max })
  }

  /// Numbers that are not negative, such as errors, to a share of half of ``step``; those that are negative or not finite are
  /// missing.
  init(logarithmic values: [Double]) {
    let positive = values.lazy.filter { $0.isFinite && $0 > 0 }
    let (low, high) = (positive.min() ?? 1, positive.max() ?? 1)
    let step = high > low ? log(high / low) / 253 : 1
    encoding = .logarithmic8
    self.low = low
    self.step = step
    data = Data(
      values.map { value -> UInt8 in
        guard value.isFinite, value >= 0 else { return .max }
        return value == 0 ? 0 : 1 + UInt8(min((log(value / low) / step).rounded(), 253))
      }
    ).base64EncodedString()
  }

  /// Whole numbers below 65,536.
  init(whole values: [Int]) {
    self.init(.whole16, low: 0, step: 1, words: values.map { UInt16($0) })
  }

  private init(_ encoding: Encoding, low: Double, step: Double, words: [UInt16]) {
    self.encoding = encoding
    self.low = low
    self.step = step
    var bytes = Data(capacity: 2 * words.count)
    for word in words {
      bytes.append(UInt8(truncatingIfNeeded: word))
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
    }
    data = bytes.base64EncodedString()
  }
}
