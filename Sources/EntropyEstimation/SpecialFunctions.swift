import Foundation

/// The digamma function ψ(x) = d/dx log Γ(x) for x > 0.
///
/// Recurrence up to x ≥ 10, then the asymptotic series (Abramowitz and Stegun 6.3.18); relative error below 1e-14.
func digamma(_ x: Double) -> Double {
  precondition(x > 0, "digamma is used for positive arguments only")
  var (x, result) = (x, 0.0)
  while x < 10 {
    result -= 1 / x
    x += 1
  }
  let y = 1 / (x * x)
  let series =
    y
    * (1.0 / 12 - y
      * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * 691 / 32760)))))
  return result + log(x) - 0.5 / x - series
}

/// The trigamma function ψ₁(x) = d²/dx² log Γ(x) for x > 0.
///
/// Recurrence up to x ≥ 10, then the asymptotic series (Abramowitz and Stegun 6.4.12); relative error below 1e-13.
func trigamma(_ x: Double) -> Double {
  precondition(x > 0, "trigamma is used for positive arguments only")
  var (x, result) = (x, 0.0)
  while x < 10 {
    result += 1 / (x * x)
    x += 1
  }
  let y = 1 / (x * x)
  let series =
    y
    * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * (5.0 / 66 - y * 691 / 2730)))))
  return result + 1 / x + y / 2 + series / x
}
