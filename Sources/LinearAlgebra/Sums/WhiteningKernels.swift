import CKernels
import COpenBLAS

/// Float or Double: the precision in which rows are whitened.
package protocol WhiteningScalar: BinaryFloatingPoint, Sendable {
  /// The routines of this precision.
  static var kernels: WhiteningKernels<Self> { get }
}

extension Float: WhiteningScalar {
  /// Those whose names end in `f32`.
  package static let kernels = WhiteningKernels<Float>(
    solve: cblas_strsm, multiply: cblas_sgemm, rounded: te_rounded_f32,
    centredBlocks: te_centred_blocks_f32, residualProducts: te_residual_products_f32,
    residualNorms: te_residual_norms_f32, squaredLengths: te_squared_lengths_f32,
    leverageWeights: te_leverage_weights_f32, influences: te_influences_f32)
}

extension Double: WhiteningScalar {
  /// Those whose names end in `f64`.
  package static let kernels = WhiteningKernels<Double>(
    solve: cblas_dtrsm, multiply: cblas_dgemm, rounded: te_rounded_f64,
    centredBlocks: te_centred_blocks_f64, residualProducts: te_residual_products_f64,
    residualNorms: te_residual_norms_f64, squaredLengths: te_squared_lengths_f64,
    leverageWeights: te_leverage_weights_f64, influences: te_influences_f64)
}

/// What is done to many numbers, as C functions: every one exists for both precisions, with parameters in the same order.
///
/// What they do stands beside their names in `residual_sums.h`; the first two are those of BLAS.
package struct WhiteningKernels<Scalar>: Sendable {
  /// `trsm`.
  let solve:
    @Sendable (
      CBLAS_ORDER, CBLAS_SIDE, CBLAS_UPLO, CBLAS_TRANSPOSE, CBLAS_DIAG, blasint, blasint, Scalar,
      UnsafePointer<Scalar>?, blasint, UnsafeMutablePointer<Scalar>?, blasint
    ) -> Void
  /// `gemm`.
  let multiply:
    @Sendable (
      CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Scalar,
      UnsafePointer<Scalar>?, blasint, UnsafePointer<Scalar>?, blasint, Scalar,
      UnsafeMutablePointer<Scalar>?, blasint
    ) -> Void
  let rounded: @Sendable (Int, UnsafePointer<Double>?, UnsafeMutablePointer<Scalar>?) -> Void
  let centredBlocks:
    @Sendable (
      Int, UnsafePointer<Float>?, Int, UnsafePointer<Double>?, UnsafePointer<Int>?, Int, Int,
      UnsafeMutablePointer<Scalar>?, Int
    ) -> Void
  let residualProducts:
    @Sendable (
      Int, UnsafePointer<Scalar>?, Int, Int, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?,
      UnsafeMutablePointer<Double>?, UnsafeMutablePointer<Double>?
    ) -> Void
  let residualNorms:
    @Sendable (
      Int, UnsafePointer<Scalar>?, Int, Int, UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?
    ) -> Void
  let squaredLengths:
    @Sendable (Int, UnsafePointer<Scalar>?, Int, Int, UnsafeMutablePointer<Double>?) -> Void
  let leverageWeights:
    @Sendable (
      Int, UnsafePointer<Double>?, Double, UnsafeMutablePointer<Scalar>?,
      UnsafeMutablePointer<Scalar>?
    ) -> Double
  let influences:
    @Sendable (
      Int, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, UnsafePointer<Scalar>?, Double, Double,
      UnsafeMutablePointer<Double>?
    ) -> Void
}
