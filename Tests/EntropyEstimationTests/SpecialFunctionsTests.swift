import Foundation
import Testing

@testable import EntropyEstimation

/// Values from Abramowitz and Stegun, table 6.1, and from closed forms: ψ(1) = −γ, ψ(½) = −γ − 2 ln 2, ψ₁(1) = π²/6,
/// ψ₁(½) = π²/2.
@Test func digammaAndTrigammaMatchClosedForms() {
  let gamma = 0.577_215_664_901_532_9
  #expect(abs(digamma(1) + gamma) < 1e-13)
  #expect(abs(digamma(0.5) + gamma + 2 * log(2)) < 1e-13)
  #expect(abs(digamma(10) - 2.251_752_589_066_721) < 1e-13)
  #expect(abs(trigamma(1) - Double.pi * .pi / 6) < 1e-13)
  #expect(abs(trigamma(0.5) - Double.pi * .pi / 2) < 1e-12)
}

@Test(arguments: [0.3, 1.7, 4.5, 9.99, 10, 123.25, 5000])
func recurrencesHold(x: Double) {
  #expect(abs(digamma(x + 1) - digamma(x) - 1 / x) < 1e-13 * max(1, abs(digamma(x))))
  #expect(abs(trigamma(x + 1) - trigamma(x) + 1 / (x * x)) < 1e-13 * max(1, trigamma(x)))
}

/// The derivative of the one is the other: central differences, whose own error is about 1e-9 at this step.
@Test(arguments: [1.5, 8, 40.0])
func trigammaIsTheDerivativeOfDigamma(x: Double) {
  let step = 1e-4
  let slope = (digamma(x + step) - digamma(x - step)) / (2 * step)
  #expect(abs(slope - trigamma(x)) < 1e-7)
}

/// Closed forms: with 2 and 4 degrees of freedom e^(−x/2) and e^(−x/2)(1 + x/2), with 1 erfc(√(x/2)).
@Test(arguments: [0.01, 0.5, 1, 3.84, 10, 40, 300])
func chiSquaredTailMatchesClosedForms(x: Double) {
  func near(_ a: Double, _ b: Double) -> Bool {
    abs(a - b) < 1e-12 * max(1e-3, b) || abs(a / b - 1) < 1e-10
  }
  #expect(near(chiSquaredTail(x, freedom: 2), exp(-x / 2)))
  #expect(near(chiSquaredTail(x, freedom: 4), exp(-x / 2) * (1 + x / 2)))
  #expect(near(chiSquaredTail(x, freedom: 1), erfc((x / 2).squareRoot())))
}

/// With f degrees of freedom half of the probability lies near f·(1 − 2/(9f))³ (Wilson and Hilferty), within 1e-3.
@Test(arguments: [50.0, 1000, 60_000])
func chiSquaredMedianIsWhereItShouldBe(freedom: Double) {
  let root = 1 - 2 / (9 * freedom)
  #expect(abs(chiSquaredTail(freedom * root * root * root, freedom: freedom) - 0.5) < 1e-3)
}

@Test func logGammaMatchesFactorials() {
  #expect(abs(logGamma(1)) < 1e-14)
  #expect(abs(logGamma(0.5) - 0.5 * log(Double.pi)) < 1e-14)
  #expect(abs(logGamma(11) - log(3_628_800)) < 1e-13)
  #expect(abs(logGamma(21) - log(2_432_902_008_176_640_000)) < 1e-12)
}
