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

/// The probability that a χ² variable with `freedom` degrees of freedom exceeds `x`: Q(freedom/2, x/2).
///
/// The series of the lower incomplete gamma function below a + 1, Legendre's continued fraction (by Lentz's method) above it
/// (Abramowitz and Stegun 6.5.29 and 6.5.31); relative error below 1e-12 for up to a million degrees of freedom.
func chiSquaredTail(_ x: Double, freedom: Double) -> Double {
  precondition(freedom > 0, "χ² has degrees of freedom")
  guard x > 0 else { return 1 }
  let (a, y) = (freedom / 2, x / 2)
  let scale = exp(a * log(y) - y - logGamma(a))
  if y < a + 1 {
    var (term, sum, n) = (1 / a, 1 / a, a)
    while term > sum * 1e-17 {
      n += 1
      term *= y / n
      sum += term
    }
    return max(0, 1 - scale * sum)
  }
  let tiny = 1e-300
  var b = y + 1 - a
  var c = 1 / tiny
  var d = 1 / b
  var fraction = d
  for i in 1..<1_000_000 {
    let numerator = -Double(i) * (Double(i) - a)
    b += 2
    d = 1 / nonzero(numerator * d + b, tiny)
    c = nonzero(b + numerator / c, tiny)
    fraction *= d * c
    if abs(d * c - 1) < 1e-15 { break }
  }
  return scale * fraction
}

/// log Γ(x) for x > 0: recurrence up to x ≥ 10, then Stirling's series (Abramowitz and Stegun 6.1.41).
///
/// The C library's `lgamma` sets a global sign, so it is not for several threads.
func logGamma(_ x: Double) -> Double {
  precondition(x > 0, "log Γ is used for positive arguments only")
  var (x, product) = (x, 1.0)
  while x < 10 {
    product *= x
    x += 1
  }
  let y = 1 / (x * x)
  let series =
    (1.0 / 12 - y
      * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 - y * 691 / 360360))))) / x
  return (x - 0.5) * log(x) - x + 0.5 * log(2 * .pi) + series - log(product)
}

private func nonzero(_ value: Double, _ least: Double) -> Double {
  abs(value) < least ? least : value
}
