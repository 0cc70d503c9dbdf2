import CKernels

/// The numbers that pairs of tokens are passed over in: `Float`, or `Double` where it does not suffice.
///
/// What is done to many numbers is a requirement or a C function, so that nothing depends on whether generic code is specialised.
package protocol PairNumber: BinaryFloatingPoint, Sendable {
  /// The numbers rounded to this type, and zeros up to `count`.
  static func rounded(_ values: [Double], count: Int) -> [Self]
  /// The numbers as doubles.
  static func widened(_ values: ArraySlice<Self>) -> [Double]
  /// The routines of this precision.
  static var pairKernels: PairKernels<Self> { get }
}

extension Float: PairNumber {
  /// Rounds numbers.
  package static func rounded(_ values: [Double], count: Int) -> [Float] {
    var result = [Float](repeating: 0, count: count)
    for (index, value) in values.enumerated() { result[index] = Float(value) }
    return result
  }

  /// Widens numbers.
  package static func widened(_ values: ArraySlice<Float>) -> [Double] { values.map { Double($0) } }

  /// Those whose names end in `float`.
  package static let pairKernels = PairKernels<Float>(
    squaredNorms: te_pair_squared_norms_float, whiten: te_pair_whiten_float,
    products: te_pair_products_float, residuals: te_pair_residuals_float,
    scatter: te_pair_scatter_float, contributions: te_pair_contributions_float,
    spread: te_pair_spread_float)
}

extension Double: PairNumber {
  /// The numbers, and zeros.
  package static func rounded(_ values: [Double], count: Int) -> [Double] {
    values + [Double](repeating: 0, count: count - values.count)
  }

  /// The numbers.
  package static func widened(_ values: ArraySlice<Double>) -> [Double] { Array(values) }

  /// Those whose names end in `double`.
  package static let pairKernels = PairKernels<Double>(
    squaredNorms: te_pair_squared_norms_double, whiten: te_pair_whiten_double,
    products: te_pair_products_double, residuals: te_pair_residuals_double,
    scatter: te_pair_scatter_double, contributions: te_pair_contributions_double,
    spread: te_pair_spread_double)
}

/// The passes over a pair of tokens, as C functions: every one exists for both precisions, with parameters in the same order.
///
/// What they do stands beside their names in `pair_residuals.h`.
package struct PairKernels<Number>: Sendable {
  let squaredNorms:
    @Sendable (Int, Int, UnsafePointer<Number>?, UnsafeMutablePointer<Double>?) -> Void
  let whiten:
    @Sendable (
      Int, Int, Int, UnsafePointer<Float>?, UnsafePointer<Double>?, UnsafePointer<Double>?,
      UnsafeMutablePointer<Number>?
    ) -> Void
  let products:
    @Sendable (
      Int, Int, Int, Int, UnsafePointer<Number>?, UnsafePointer<Number>?,
      UnsafeMutablePointer<Double>?
    ) -> Void
  let residuals:
    @Sendable (
      Int, Int, Int, Int, UnsafePointer<Number>?, UnsafePointer<Number>?, UnsafePointer<Number>?,
      UnsafePointer<Number>?, UnsafeMutablePointer<Number>?, UnsafeMutablePointer<Double>?
    ) -> Void
  let scatter:
    @Sendable (
      Int, Int, UnsafePointer<Number>?, UnsafePointer<Number>?, UnsafeMutablePointer<Double>?
    ) -> Void
  let contributions:
    @Sendable (
      Int, Int, UnsafePointer<Number>?, UnsafePointer<Number>?, UnsafePointer<Number>?, Number,
      UnsafeMutablePointer<Number>?
    ) -> Void
  let spread:
    @Sendable (
      Int, UnsafePointer<Number>?, UnsafePointer<Number>?, Double, Int, UnsafePointer<Int>?,
      UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?
    ) -> Void
}
