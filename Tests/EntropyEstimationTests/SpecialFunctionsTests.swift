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
