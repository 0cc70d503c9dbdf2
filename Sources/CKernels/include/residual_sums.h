#ifndef TOKEN_ENTROPY_RESIDUAL_SUMS_H
#define TOKEN_ENTROPY_RESIDUAL_SUMS_H

#include <stddef.h>

// Sums over images of the residuals of one token. A residual u is a run of `channels` numbers; those of successive
// images stand `stride` numbers apart. Each function exists for float and for double.

// Adds Σ a·u·uᵀ to `first` and Σ b·u·uᵀ to `second`, channels × channels each, of which only the lower triangles count, over
// at most a few hundred images. They are summed in the precision of the residuals where there are 4, 8 or 16 channels, else
// in double precision.
void te_residual_products_f32(
    size_t images, const float *u, size_t stride, size_t channels, const float *a, const float *b,
    double *first, double *second);
void te_residual_products_f64(
    size_t images, const double *u, size_t stride, size_t channels, const double *a,
    const double *b, double *first, double *second);

// norms[i] = |T·u|² for T channels × channels, row-major, zero above the diagonal.
void te_residual_norms_f32(
    size_t images, const float *u, size_t stride, size_t channels, const float *transform,
    float *norms);
void te_residual_norms_f64(
    size_t images, const double *u, size_t stride, size_t channels, const double *transform,
    double *norms);

// Adds the squared length of each run of `width` numbers to `sums`.
void te_squared_lengths_f32(
    size_t images, const float *z, size_t stride, size_t width, double *sums);
void te_squared_lengths_f64(
    size_t images, const double *z, size_t stride, size_t width, double *sums);

// From leverages h, with 1 − h at least `least`: a = 1/(1 − h)² and b = h/(1 − h). Returns Σ b.
double te_leverage_weights_f32(
    size_t images, const double *leverages, double least, float *a, float *b);
double te_leverage_weights_f64(
    size_t images, const double *leverages, double least, double *a, double *b);

// influences[i] = scale·w·norms[i] with w = squared[i] − ratio·excess[i], or w = 1 + excess[i] where `squared` is NULL.
void te_influences_f32(
    size_t images, const float *norms, const float *squared, const float *excess, double ratio,
    double scale, double *influences);
void te_influences_f64(
    size_t images, const double *norms, const double *squared, const double *excess, double ratio,
    double scale, double *influences);

// Takes rows of blocks of `size` numbers in another sequence, with the mean taken off in double precision: block `b` of an
// image, of `count` that stand `stride` numbers apart, is block sequence[b] of its row of `width` numbers.
void te_centred_blocks_f32(
    size_t images, const float *rows, size_t width, const double *mean, const size_t *sequence,
    size_t count, size_t size, float *blocks, size_t stride);
void te_centred_blocks_f64(
    size_t images, const float *rows, size_t width, const double *mean, const size_t *sequence,
    size_t count, size_t size, double *blocks, size_t stride);

// Rounds numbers.
void te_rounded_f32(size_t count, const double *x, float *rounded);
void te_rounded_f64(size_t count, const double *x, double *rounded);

// Adds numbers x − shift to running sums: their sum and the sum of their squares; over complete runs, which begin where
// `starts` is not zero, how many there are, the sums of the squares of their sums, of sum times length and of the squares
// of lengths; and the sum and the length of the run that is not complete yet: eight numbers.
void te_run_sums(
    size_t images, const double *x, const unsigned char *starts, double shift, double *sums);

#endif
