#include "pair_residuals.h"

typedef double te_four_doubles __attribute__((vector_size(32), aligned(8)));

#define INLINE __attribute__((always_inline)) static inline
#define NAME(x) portable_float_##x
#define TARGET
#define NUMBER float
#define LANES 4
#include "pair_residuals_template.h"

#define INLINE __attribute__((always_inline)) static inline
#define NAME(x) portable_double_##x
#define TARGET
#define NUMBER double
#define LANES 2
#include "pair_residuals_template.h"

#if defined(__x86_64__)
#define INLINE __attribute__((always_inline, target("avx2,fma"))) static inline
#define NAME(x) avx2_float_##x
#define TARGET __attribute__((target("avx2,fma")))
#define NUMBER float
#define LANES 8
#include "pair_residuals_template.h"

#define INLINE __attribute__((always_inline, target("avx2,fma"))) static inline
#define NAME(x) avx2_double_##x
#define TARGET __attribute__((target("avx2,fma")))
#define NUMBER double
#define LANES 4
#include "pair_residuals_template.h"

#define INLINE __attribute__((always_inline, target("avx512f,avx2,fma"))) static inline
#define NAME(x) avx512_float_##x
#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define NUMBER float
#define LANES 16
#include "pair_residuals_template.h"

#define INLINE __attribute__((always_inline, target("avx512f,avx2,fma"))) static inline
#define NAME(x) avx512_double_##x
#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define NUMBER double
#define LANES 8
#include "pair_residuals_template.h"
#endif

// What differs between instruction sets, for one type of number.
#define KERNELS(NUMBER)                                                                            \
  typedef struct {                                                                                 \
    void (*products)(size_t, size_t, size_t, size_t, const NUMBER *, const NUMBER *, double *);    \
    void (*residuals)(                                                                             \
        size_t, size_t, size_t, size_t, const NUMBER *, const NUMBER *, const NUMBER *,            \
        const NUMBER *, NUMBER *, double *);                                                       \
    void (*scatter)(size_t, size_t, const NUMBER *, const NUMBER *, double *);                     \
    void (*contributions)(                                                                         \
        size_t, size_t, const NUMBER *, const NUMBER *, const NUMBER *, NUMBER, NUMBER *);         \
  } pair_kernels_##NUMBER;
KERNELS(float)
KERNELS(double)

#define VERSION(SET, NUMBER)                                                                       \
  {SET##_##NUMBER##_products, SET##_##NUMBER##_residuals, SET##_##NUMBER##_scatter,                \
   SET##_##NUMBER##_contributions}

#if defined(__x86_64__)
#define CHOICE(NUMBER)                                                                             \
  static const pair_kernels_##NUMBER *kernels_##NUMBER(void) {                                     \
    static const pair_kernels_##NUMBER portable = VERSION(portable, NUMBER);                       \
    static const pair_kernels_##NUMBER avx2 = VERSION(avx2, NUMBER);                               \
    static const pair_kernels_##NUMBER avx512 = VERSION(avx512, NUMBER);                           \
    __builtin_cpu_init();                                                                          \
    if (__builtin_cpu_supports("avx512f")) return &avx512;                                         \
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2;             \
    return &portable;                                                                              \
  }
#else
#define CHOICE(NUMBER)                                                                             \
  static const pair_kernels_##NUMBER *kernels_##NUMBER(void) {                                     \
    static const pair_kernels_##NUMBER portable = VERSION(portable, NUMBER);                       \
    return &portable;                                                                              \
  }
#endif
CHOICE(float)
CHOICE(double)

// A token of 8 coordinates is the usual one; whitening is in double precision, since tokens of nearly dependent channels
// make large numbers of small ones.
#define WHITEN(NUMBER)                                                                             \
  __attribute__((always_inline)) static inline void whiten_##NUMBER(                               \
      size_t count, size_t width, size_t stride, const float *rows, const double *mean,            \
      const double *transform, NUMBER *out) {                                                      \
    double centred[width][te_pair_group];                                                          \
    for (size_t c = 0; c < width; c++)                                                             \
      for (size_t i = 0; i < te_pair_group; i++)                                                   \
        centred[c][i] = i < count ? (double)rows[i * stride + c] - mean[c] : 0;                    \
    for (size_t a = 0; a < width; a++) {                                                           \
      double sums[te_pair_group] = {0};                                                            \
      for (size_t b = 0; b <= a; b++)                                                              \
        for (size_t i = 0; i < te_pair_group; i++)                                                 \
          sums[i] += transform[a * width + b] * centred[b][i];                                     \
      for (size_t i = 0; i < te_pair_group; i++) out[a * te_pair_group + i] = (NUMBER)sums[i];     \
    }                                                                                              \
  }                                                                                                \
  CLONES void te_pair_whiten_##NUMBER(                                                             \
      size_t count, size_t width, size_t stride, const float *rows, const double *mean,            \
      const double *transform, NUMBER *out) {                                                      \
    if (width == 8 && count == te_pair_group)                                                      \
      whiten_##NUMBER(te_pair_group, 8, stride, rows, mean, transform, out);                       \
    else                                                                                           \
      whiten_##NUMBER(count, width, stride, rows, mean, transform, out);                           \
  }

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
WHITEN(float)
WHITEN(double)

#define SQUARED_NORMS(NUMBER)                                                                      \
  CLONES void te_pair_squared_norms_##NUMBER(                                                      \
      size_t groups, size_t width, const NUMBER *token, double *norms) {                           \
    for (size_t g = 0; g < groups; g++) {                                                          \
      double sums[te_pair_group] = {0};                                                            \
      for (size_t c = 0; c < width; c++)                                                           \
        for (size_t i = 0; i < te_pair_group; i++) {                                               \
          double value = token[(g * width + c) * te_pair_group + i];                               \
          sums[i] += value * value;                                                                \
        }                                                                                          \
      for (size_t i = 0; i < te_pair_group; i++) norms[g * te_pair_group + i] = sums[i];           \
    }                                                                                              \
  }
SQUARED_NORMS(float)
SQUARED_NORMS(double)

enum { te_marginal_images = 64 };

__attribute__((always_inline)) static inline void token_marginals(
    size_t count, size_t width, size_t stride, const float *rows, const double *shift, double *sums,
    double *products) {
  double centred[width][te_marginal_images];
  for (size_t c = 0; c < width; c++)
    for (size_t i = 0; i < te_marginal_images; i++)
      centred[c][i] = i < count ? (double)rows[i * stride + c] - shift[c] : 0;
  for (size_t a = 0; a < width; a++) {
    double lanes[te_pair_group] = {0};
    for (size_t i = 0; i < te_marginal_images; i += te_pair_group)
      for (size_t k = 0; k < te_pair_group; k++) lanes[k] += centred[a][i + k];
    for (size_t k = 0; k < te_pair_group; k++) sums[a] += lanes[k];
    for (size_t b = 0; b <= a; b++) {
      for (size_t k = 0; k < te_pair_group; k++) lanes[k] = 0;
      for (size_t i = 0; i < te_marginal_images; i += te_pair_group)
        for (size_t k = 0; k < te_pair_group; k++)
          lanes[k] += centred[a][i + k] * centred[b][i + k];
      for (size_t k = 0; k < te_pair_group; k++) products[a * width + b] += lanes[k];
    }
  }
}

CLONES void te_token_marginals(
    size_t images, size_t tokens, size_t width, const float *rows, const double *shift,
    double *sums, double *products) {
  size_t stride = tokens * width;
  for (size_t first = 0; first < images; first += te_marginal_images) {
    size_t count = images - first < te_marginal_images ? images - first : te_marginal_images;
    for (size_t token = 0; token < tokens; token++) {
      const float *from = rows + first * stride + token * width;
      if (width == 8 && count == te_marginal_images)
        token_marginals(
            te_marginal_images, 8, stride, from, shift + token * 8, sums + token * 8,
            products + token * 64);
      else
        token_marginals(
            count, width, stride, from, shift + token * width, sums + token * width,
            products + token * width * width);
    }
  }
}

// Several sums side by side, which the compiler keeps in vectors; a single one would wait for every addition.
enum { te_spread_lanes = 16 };

#define SPREAD(NUMBER)                                                                             \
  CLONES static void single_sums_##NUMBER(                                                         \
      size_t images, const NUMBER *contributions, const NUMBER *baseline, double expectation,      \
      double *own, double *difference) {                                                           \
    double sums[4][te_spread_lanes] = {{0}};                                                       \
    size_t whole = images / te_spread_lanes * te_spread_lanes;                                     \
    for (size_t first = 0; first < whole; first += te_spread_lanes)                                \
      for (size_t lane = 0; lane < te_spread_lanes; lane++) {                                      \
        double value = (double)contributions[first + lane] - expectation;                          \
        sums[0][lane] += value;                                                                    \
        sums[1][lane] += value * value;                                                            \
      }                                                                                            \
    for (size_t first = 0; first < whole && baseline; first += te_spread_lanes)                    \
      for (size_t lane = 0; lane < te_spread_lanes; lane++) {                                      \
        double value = (double)baseline[first + lane] - (double)contributions[first + lane];       \
        sums[2][lane] += value;                                                                    \
        sums[3][lane] += value * value;                                                            \
      }                                                                                            \
    for (size_t i = whole; i < images; i++) {                                                      \
      double value = (double)contributions[i] - expectation;                                       \
      sums[0][0] += value;                                                                         \
      sums[1][0] += value * value;                                                                 \
      if (!baseline) continue;                                                                     \
      value = (double)baseline[i] - (double)contributions[i];                                      \
      sums[2][0] += value;                                                                         \
      sums[3][0] += value * value;                                                                 \
    }                                                                                              \
    for (int i = 0; i < 4; i++) own[i] = difference[i] = 0;                                        \
    for (size_t lane = 0; lane < te_spread_lanes; lane++) {                                        \
      own[0] += sums[0][lane];                                                                     \
      own[1] += sums[1][lane];                                                                     \
      difference[0] += sums[2][lane];                                                              \
      difference[1] += sums[3][lane];                                                              \
    }                                                                                              \
    own[2] = own[1];                                                                               \
    own[3] = own[0];                                                                               \
    difference[2] = difference[1];                                                                 \
    difference[3] = difference[0];                                                                 \
  }                                                                                                \
  void te_pair_spread_##NUMBER(                                                                    \
      size_t images, const NUMBER *contributions, const NUMBER *baseline, double expectation,      \
      size_t group_count, const long *starts, double *own, double *difference) {                   \
    single_sums_##NUMBER(images, contributions, baseline, expectation, own, difference);           \
    if (!starts) return;                                                                           \
    own[2] = own[3] = 0;                                                                           \
    difference[2] = difference[3] = 0;                                                             \
    for (size_t g = 0; g < group_count; g++) {                                                     \
      double sum = 0, other = 0, size = (double)(starts[g + 1] - starts[g]);                       \
      for (size_t i = starts[g]; i < starts[g + 1]; i++) {                                         \
        sum += (double)contributions[i] - expectation;                                             \
        if (baseline) other += (double)baseline[i] - (double)contributions[i];                     \
      }                                                                                            \
      own[2] += sum * sum;                                                                         \
      own[3] += sum * size;                                                                        \
      difference[2] += other * other;                                                              \
      difference[3] += other * size;                                                               \
    }                                                                                              \
  }
SPREAD(float)
SPREAD(double)

#define ENTRY(NUMBER)                                                                              \
  void te_pair_products_##NUMBER(                                                                  \
      size_t groups, size_t channels, size_t target_width, size_t width, const NUMBER *target,     \
      const NUMBER *reference, double *products) {                                                 \
    kernels_##NUMBER()->products(                                                                  \
        groups, channels, target_width, width, target, reference, products);                       \
  }                                                                                                \
  void te_pair_residuals_##NUMBER(                                                                 \
      size_t groups, size_t channels, size_t target_width, size_t width, const NUMBER *target,     \
      const NUMBER *reference, const NUMBER *coefficients, const NUMBER *weights,                  \
      NUMBER *residuals, double *scatter) {                                                        \
    kernels_##NUMBER()->residuals(                                                                 \
        groups, channels, target_width, width, target, reference, coefficients, weights,           \
        residuals, scatter);                                                                       \
  }                                                                                                \
  void te_pair_scatter_##NUMBER(                                                                   \
      size_t groups, size_t channels, const NUMBER *residuals, const NUMBER *weights,              \
      double *scatter) {                                                                           \
    kernels_##NUMBER()->scatter(groups, channels, residuals, weights, scatter);                    \
  }                                                                                                \
  void te_pair_contributions_##NUMBER(                                                             \
      size_t groups, size_t channels, const NUMBER *residuals, const NUMBER *weights,              \
      const NUMBER *transform, NUMBER scale, NUMBER *contributions) {                              \
    kernels_##NUMBER()->contributions(                                                             \
        groups, channels, residuals, weights, transform, scale, contributions);                    \
  }
ENTRY(float)
ENTRY(double)
