import Foundation

/// The unit in which entropies are printed; the library itself computes in nats throughout.
public enum EntropyUnit: String, CaseIterable, Sendable, Codable {
  /// Natural logarithms.
  case nats
  /// Logarithms to base 2: one nat is 1/ln 2 ≈ 1.4427 bits.
  case bits

  /// How many of this unit one nat is.
  public var perNat: Double {
    switch self {
    case .nats: 1
    case .bits: 1 / log(2)
    }
  }
}
