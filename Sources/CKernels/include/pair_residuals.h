#ifndef TOKEN_ENTROPY_PAIR_RESIDUALS_H
#define TOKEN_ENTROPY_PAIR_RESIDUALS_H

#include <stddef.h>

/// How many images stand together: a token's numbers are stored as groups × coordinates × images of a group, the last
/// group filled up with zeros.
enum { te_pair_group = 16 };

/// Channels are filled up to a multiple of this many in the rows of coefficients and in residuals.
enum { te_pair_rows = 4 };

/// Adds to `sums` (tokens × width) and `products` (tokens × width × width, lower triangles) those of every token less `shift`,
/// over `images` rows of tokens · width floats, in double precision.
void te_token_marginals(size_t images, size_t tokens, size_t width, const float *rows,
                        const double *shift, double *sums, double *products);

/// Whitens one token of `count` ≤ te_pair_group images, row-major with `stride` floats to an image, `rows` pointing at the
/// token of the first: out = transform · (x − mean), a group of `width` coordinates, zero beyond `count`. `transform` is
/// lower triangular, width × width.
void te_pair_whiten_float(size_t count, size_t width, size_t stride, const float *rows,
                          const double *mean, const double *transform, float *out);
void te_pair_whiten_double(size_t count, size_t width, size_t stride, const float *rows,
                           const double *mean, const double *transform, double *out);

/// norms = the squared length of a token in every image, groups × te_pair_group.
void te_pair_squared_norms_float(size_t groups, size_t width, const float *token, double *norms);
void te_pair_squared_norms_double(size_t groups, size_t width, const double *token, double *norms);

/// products = Σ over images of target·referenceᵀ, the first `channels` coordinates of the target's `target_width` (rows)
/// with all `width` of the reference's (columns).
void te_pair_products_float(size_t groups, size_t channels, size_t target_width, size_t width,
                            const float *target, const float *reference, double *products);
void te_pair_products_double(size_t groups, size_t channels, size_t target_width, size_t width,
                             const double *target, const double *reference, double *products);

/// residuals = target − coefficients · reference of the first `channels` coordinates, and scatter = Σ over images of
/// weight·residual·residualᵀ, channels × channels, lower triangle. `coefficients` is padded rows × width, `residuals` groups ×
/// padded rows × te_pair_group. With a `width` of 0 the residual is the target.
void te_pair_residuals_float(size_t groups, size_t channels, size_t target_width, size_t width,
                             const float *target, const float *reference,
                             const float *coefficients, const float *weights, float *residuals,
                             double *scatter);
void te_pair_residuals_double(size_t groups, size_t channels, size_t target_width, size_t width,
                              const double *target, const double *reference,
                              const double *coefficients, const double *weights,
                              double *residuals, double *scatter);

/// The same scatter of residuals that are there, with other weights.
void te_pair_scatter_float(size_t groups, size_t channels, const float *residuals,
                           const float *weights, double *scatter);
void te_pair_scatter_double(size_t groups, size_t channels, const double *residuals,
                            const double *weights, double *scatter);

/// contributions = scale · weight · |transform · residual|² of every image; `transform` is lower triangular, channels ×
/// channels.
void te_pair_contributions_float(size_t groups, size_t channels, const float *residuals,
                                 const float *weights, const float *transform, float scale,
                                 float *contributions);
void te_pair_contributions_double(size_t groups, size_t channels, const double *residuals,
                                  const double *weights, const double *transform, double scale,
                                  double *contributions);

/// Sums over images what contributions are above their expectation, into `own`, and what a baseline is above contributions,
/// into `difference`, zeros if `baseline` is null. Both have four numbers: the sum, the sum of squares, and over runs of
/// images that are not independent the sums of their squared sum and of their sum times their size. Runs are
/// `starts[g] ..< starts[g + 1]`; without `starts` every image is one.
void te_pair_spread_float(size_t images, const float *contributions, const float *baseline,
                          double expectation, size_t group_count, const long *starts,
                          double *own, double *difference);
void te_pair_spread_double(size_t images, const double *contributions, const double *baseline,
                           double expectation, size_t group_count, const long *starts,
                           double *own, double *difference);

#endif
