#ifndef TOKEN_ENTROPY_SCATTER_H
#define TOKEN_ENTROPY_SCATTER_H

#include <stddef.h>
#include <stdint.h>

/// A micro-kernel of the scatter product: its tile, and the function that adds one tile.
///
/// `left` holds panels of `rows` columns and `right` panels of `columns` columns of the data, each panel row-major
/// `images × width`. The function adds leftᵀ·right of one pair of panels to `sums`, a `rows × columns` tile of
/// doubles with row stride `stride`. Products are summed in single precision over at most `te_scatter_run` images,
/// and those short sums in double precision.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  size_t rows;
  size_t columns;
  void (*add)(size_t images, const float *left, const float *right, double *sums, size_t stride);
  const char *name;
} te_scatter_kernel;

/// How many images are summed in single precision before the sum is added to a double.
enum { te_scatter_run = 64 };

/// The fastest kernel this processor can run.
te_scatter_kernel te_scatter_kernel_best(void);

/// The kernel in portable C, on every processor.
te_scatter_kernel te_scatter_kernel_portable(void);

/// Copies columns `first ..< first + width` of `images` rows of `data` (row stride `stride`) minus `shift`, into a
/// panel, row-major `images × width`. Columns from `limit` on are set to zero.
void te_scatter_pack(
    size_t images, const float *data, size_t stride, const float *shift, size_t first,
    size_t width, size_t limit, float *panel);

/// Adds to `cross` (tokens × d × d) the products of token `reference` with every token, and to `marginal`
/// (tokens × d × d), unless it is null, those of every token with itself, over `images` rows of tokens · d floats.
/// Sums are in single precision: call it for a few images at a time.
void te_token_scatter(
    size_t images, size_t tokens, size_t d, const float *rows, size_t reference, float *marginal,
    float *cross);

/// What is left of each token of `images` rows (tokens · d floats) after `shift` has been subtracted and the token has
/// been predicted from its parents: residual = x − Σ over parents of coefficientsᵀ·parent, rounded to float at the end.
///
/// Token t's parents are `parents[offsets[t] ..< offsets[t + 1]]`, with one d × d block of `coefficients` each, a row a
/// parent's channel. `centred` is room for images · tokens · d doubles.
void te_block_residuals(
    size_t images, size_t tokens, size_t d, const float *rows, const double *shift,
    const int32_t *parents, const int32_t *offsets, const double *coefficients, double *centred,
    float *residuals);

#endif
