import CKernels

/// Float or Double: the precision of residuals given ever shorter contexts.
package protocol ContextScalar: WhiteningScalar {
  /// The routines of this precision.
  static var contextKernels: ContextKernels<Self> { get }
}

extension Float: ContextScalar {
  /// Those whose names end in `f32`.
  package static let contextKernels = ContextKernels<Float>(
    columns: te_context_columns_f32, products: te_context_products_f32,
    norms: te_context_norms_f32, squares: te_context_squares_f32, runs: te_context_runs_f32)
}

extension Double: ContextScalar {
  /// Those whose names end in `f64`.
  package static let contextKernels = ContextKernels<Double>(
    columns: te_context_columns_f64, products: te_context_products_f64,
    norms: te_context_norms_f64, squares: te_context_squares_f64, runs: te_context_runs_f64)
}

/// What is done with residuals given ever shorter contexts, as C functions: every one exists for both precisions, with
/// parameters in the same order.
///
/// What they do stands beside their names in `context_residuals.h`.
package struct ContextKernels<Scalar>: Sendable {
  let columns:
    @Sendable (Int, Int, UnsafePointer<Scalar>?, Int, Int, UnsafeMutablePointer<Scalar>?) -> Void
  let products:
    @Sendable (UnsafePointer<te_context_residuals>?, UnsafeMutablePointer<Double>?) -> Void
  let norms:
    @Sendable (
      UnsafePointer<te_context_residuals>?, UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?
    ) -> Void
  let squares: @Sendable (Int, Int, UnsafePointer<Scalar>?, UnsafeMutablePointer<Double>?) -> Void
  let runs:
    @Sendable (
      Int, Int, Int, UnsafePointer<Scalar>?, UnsafePointer<UInt8>?, Double,
      UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?
    ) -> Void
}
