#ifndef TOKEN_ENTROPY_CONTEXT_RESIDUALS_H
#define TOKEN_ENTROPY_CONTEXT_RESIDUALS_H

#include <stddef.h>

// The residuals of one token given ever shorter contexts, over a block of images that stand side by side: number c of all
// images, then number c + 1. The residual of token k given the tokens before place a is Σ_{j=a…k} L_kj·z_j, z the whitened
// tokens, so that every shorter context adds one product. Each function exists for float and for double.
//
// `images` is a multiple of TE_IMAGE_STRIP numbers of the type, the blocks are aligned to 64 bytes, and `rows` is `channels`
// rounded up to a multiple of four; what is beyond `channels` is zero.
typedef struct {
  size_t images, channels, rows;
  // The contexts are those before the places `first` ≤ a ≤ `token`.
  size_t token, first;
  // By place from 0: z, channels × images.
  const void *whitened;
  // By place from `first`: L_kj, rows × channels.
  const void *factor;
  // By place from 0: the images' weights.
  const void *weights;
  // Scratch, rows × images.
  void *residuals;
} te_context_residuals;

enum { TE_IMAGE_STRIP = 32 };

// Rows of images, `stride` numbers apart, side by side: to[column · images + row]; rows from `count` to `images` become zero.
void te_context_columns_f32(
    size_t count, size_t columns, const float *rows, size_t stride, size_t images, float *to);
void te_context_columns_f64(
    size_t count, size_t columns, const double *rows, size_t stride, size_t images, double *to);

// By place from `first`: adds Σ w·e·eᵀ, rows × rows, of which the lower triangle has a meaning. Over at most some hundred
// images, which are summed in the precision of the residuals.
void te_context_products_f32(const te_context_residuals *context, double *sums);
void te_context_products_f64(const te_context_residuals *context, double *sums);

// By place from `first`: writes w·|T·e|² of every image, for T rows × rows, zero above the diagonal; `norms` has `images`
// numbers for each place.
void te_context_norms_f32(
    const te_context_residuals *context, const float *transforms, float *norms);
void te_context_norms_f64(
    const te_context_residuals *context, const double *transforms, double *norms);

// By place: adds the sum of squares of its `images` numbers.
void te_context_squares_f32(size_t places, size_t images, const float *norms, double *sums);
void te_context_squares_f64(size_t places, size_t images, const double *norms, double *sums);

// By place: adds the first `count` of its `images` numbers to eight sums as te_run_sums does; `scratch` has `count` numbers.
void te_context_runs_f32(
    size_t places, size_t images, size_t count, const float *norms, const unsigned char *starts,
    double shift, double *scratch, double *sums);
void te_context_runs_f64(
    size_t places, size_t images, size_t count, const double *norms, const unsigned char *starts,
    double shift, double *scratch, double *sums);

#endif
