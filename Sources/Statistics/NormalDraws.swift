import Foundation

// Published seeds keep their meaning: how many uniform numbers a normal one takes is part of it.

extension SeededGenerator {
  /// A number of the standard normal distribution, from two uniform ones (Box and Muller, 1958).
  package mutating func nextNormal() -> Double {
    let radius = (-2 * log(1 - nextUniform())).squareRoot()
    return radius * cos(2 * Double.pi * nextUniform())
  }

  /// Two independent numbers of the normal distribution with mean zero, from two uniform ones (Box and Muller, 1958).
  ///
  /// - Parameter deviation: The standard deviation.
  package mutating func nextNormalPair(deviation: Double = 1) -> (Double, Double) {
    let radius = (-2 * log(1 - nextUniform())).squareRoot() * deviation
    let angle = 2 * Double.pi * nextUniform()
    return (radius * cos(angle), radius * sin(angle))
  }
}
