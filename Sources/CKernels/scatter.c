#include "scatter.h"

// One tile of R rows and two vectors of columns stays in registers while a run of images is summed in single precision;
// the short sums then go to a tile of doubles on the stack, which is added to memory once per call, so that the large
// matrix of doubles is read and written once per block of images, not once per run. The run is stored as floats and
// widened from memory: converting in registers spills most of the tile, so the empty assembly keeps the compiler from
// undoing the detour.
typedef float te_four __attribute__((vector_size(16), aligned(4)));
typedef double te_four_wide __attribute__((vector_size(32), aligned(8)));

#define TE_SCATTER_KERNEL(NAME, TARGET, WIDTH, R)                                                  \
  typedef float NAME##_vector __attribute__((vector_size(4 * WIDTH), aligned(4)));                 \
  TARGET static void NAME(                                                                         \
      size_t images, const float *left, const float *right, double *sums, size_t stride) {         \
    enum { columns = 2 * WIDTH, cells = R * columns };                                             \
    double total[cells] __attribute__((aligned(64)));                                              \
    float short_sums[cells] __attribute__((aligned(64)));                                          \
    for (int r = 0; r < R; r++) {                                                                  \
      __builtin_prefetch(sums + r * stride, 1);                                                    \
      __builtin_prefetch(sums + r * stride + columns / 2, 1);                                      \
    }                                                                                              \
    for (int t = 0; t < cells; t++) total[t] = 0;                                                  \
    for (size_t start = 0; start < images; start += te_scatter_run) {                              \
      size_t end = start + te_scatter_run < images ? start + te_scatter_run : images;              \
      NAME##_vector run[R][2];                                                                     \
      _Pragma("unroll") for (int r = 0; r < R; r++) {                                              \
        run[r][0] = (NAME##_vector){0};                                                            \
        run[r][1] = (NAME##_vector){0};                                                            \
      }                                                                                            \
      const float *a = left + start * R, *b = right + start * columns;                             \
      for (size_t i = start; i < end; i++, a += R, b += columns) {                                 \
        NAME##_vector b0 = *(const NAME##_vector *)b;                                              \
        NAME##_vector b1 = *(const NAME##_vector *)(b + WIDTH);                                    \
        _Pragma("unroll") for (int r = 0; r < R; r++) {                                            \
          run[r][0] += a[r] * b0;                                                                  \
          run[r][1] += a[r] * b1;                                                                  \
        }                                                                                          \
      }                                                                                            \
      _Pragma("unroll") for (int r = 0; r < R; r++) {                                              \
        *(NAME##_vector *)(short_sums + r * columns) = run[r][0];                                  \
        *(NAME##_vector *)(short_sums + r * columns + WIDTH) = run[r][1];                          \
      }                                                                                            \
      __asm__ volatile("" : : "r"(short_sums) : "memory");                                         \
      for (int t = 0; t < cells; t += 4)                                                           \
        *(te_four_wide *)(total + t) +=                                                            \
            __builtin_convertvector(*(const te_four *)(short_sums + t), te_four_wide);             \
    }                                                                                              \
    for (int r = 0; r < R; r++)                                                                    \
      for (int c = 0; c < columns; c += 4)                                                         \
        *(te_four_wide *)(sums + r * stride + c) += *(const te_four_wide *)(total + r * columns + c); \
  }

TE_SCATTER_KERNEL(scatter_portable, , 4, 4)

te_scatter_kernel te_scatter_kernel_portable(void) {
  return (te_scatter_kernel){4, 8, scatter_portable, "portable"};
}

#if defined(__x86_64__)
TE_SCATTER_KERNEL(scatter_avx2, __attribute__((target("avx2,fma"))), 8, 6)
TE_SCATTER_KERNEL(
    scatter_avx512, __attribute__((target("avx512f"))), 16, 12)
#endif

te_scatter_kernel te_scatter_kernel_best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return (te_scatter_kernel){12, 32, scatter_avx512, "AVX-512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (te_scatter_kernel){6, 16, scatter_avx2, "AVX2"};
#endif
  return te_scatter_kernel_portable();
}

void te_scatter_pack(
    size_t images, const float *data, size_t stride, const float *shift, size_t first,
    size_t width, size_t limit, float *panel) {
  size_t inside = first + width <= limit ? width : (first < limit ? limit - first : 0);
  for (size_t i = 0; i < images; i++) {
    const float *row = data + i * stride + first;
    for (size_t c = 0; c < inside; c++) panel[i * width + c] = row[c] - shift[first + c];
    for (size_t c = inside; c < width; c++) panel[i * width + c] = 0;
  }
}

// Rows of one image are far apart, and at a power of two that would put them all into few sets of the first-level cache:
// a few images at a time stay there.
enum { te_images_at_once = 8 };

// One token's products with d = 8, the usual size of a codebook's features: the sums stay in registers.
__attribute__((always_inline)) static inline void token_products_8(
    size_t images, size_t stride, const float *left, const float *right, float *sums) {
  typedef float eight __attribute__((vector_size(32), aligned(4)));
  eight total[8];
  for (int r = 0; r < 8; r++) total[r] = *(const eight *)(sums + r * 8);
  for (size_t i = 0; i < images; i++) {
    eight b = *(const eight *)(right + i * stride);
    for (int r = 0; r < 8; r++) total[r] += left[i * stride + r] * b;
  }
  for (int r = 0; r < 8; r++) *(eight *)(sums + r * 8) = total[r];
}

__attribute__((always_inline)) static inline void token_products(
    size_t images, size_t stride, size_t d, const float *left, const float *right,
    float *restrict sums) {
  if (d == 8) {
    token_products_8(images, stride, left, right, sums);
    return;
  }
  for (size_t i = 0; i < images; i++) {
    const float *a = left + i * stride, *b = right + i * stride;
    for (size_t r = 0; r < d; r++)
      for (size_t c = 0; c < d; c++) sums[r * d + c] += a[r] * b[c];
  }
}

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void te_token_scatter(
    size_t images, size_t tokens, size_t d, const float *rows, size_t reference, float *marginal,
    float *cross) {
  size_t stride = tokens * d;
  for (size_t first = 0; first < images; first += te_images_at_once) {
    size_t count = first + te_images_at_once < images ? te_images_at_once : images - first;
    const float *left = rows + first * stride + reference * d;
    for (size_t token = 0; token < tokens; token++) {
      const float *right = rows + first * stride + token * d;
      if (marginal)
        token_products(count, stride, d, right, right, marginal + token * d * d);
      token_products(count, stride, d, left, right, cross + token * d * d);
    }
  }
}

__attribute__((always_inline)) static inline void predict_token(
    size_t images, size_t columns, size_t d, size_t token, size_t parents, const int32_t *parent,
    const double *coefficients, const double *centred, float *residuals) {
  for (size_t i = 0; i < images; i++) {
    const double *x = centred + i * columns;
    double y[d];
    for (size_t c = 0; c < d; c++) y[c] = x[token * d + c];
    for (size_t p = 0; p < parents; p++) {
      const double *block = coefficients + p * d * d, *from = x + (size_t)parent[p] * d;
      for (size_t a = 0; a < d; a++)
        for (size_t c = 0; c < d; c++) y[c] -= from[a] * block[a * d + c];
    }
    for (size_t c = 0; c < d; c++) residuals[i * columns + token * d + c] = (float)y[c];
  }
}

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void te_block_residuals(
    size_t images, size_t tokens, size_t d, const float *rows, const double *shift,
    const int32_t *parents, const int32_t *offsets, const double *coefficients, double *centred,
    float *residuals) {
  size_t columns = tokens * d;
  for (size_t i = 0; i < images; i++)
    for (size_t c = 0; c < columns; c++)
      centred[i * columns + c] = (double)rows[i * columns + c] - shift[c];
  for (size_t token = 0; token < tokens; token++) {
    size_t first = (size_t)offsets[token], count = (size_t)offsets[token + 1] - first;
    if (d == 8)
      predict_token(
          images, columns, 8, token, count, parents + first, coefficients + first * 64, centred,
          residuals);
    else
      predict_token(
          images, columns, d, token, count, parents + first, coefficients + first * d * d, centred,
          residuals);
  }
}
