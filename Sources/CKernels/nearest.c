#include "nearest.h"

// A few points at a time stay in registers with their best scores while a run of panels, which fits the first-level
// cache, goes by: scores are never stored, as they would be between a matrix product and the search in it.
enum { te_nearest_run_floats = 4096 };

// The macro makes one kernel: P points at once, vectors of WIDTH rows. `d` is a constant in one of its uses, so that
// the loop over the channels of the usual codebooks unrolls.
#define TE_NEAREST_KERNEL(NAME, TARGET, WIDTH, P)                                                  \
  typedef float NAME##_vector __attribute__((ext_vector_type(WIDTH), aligned(4)));                 \
  typedef int32_t NAME##_index __attribute__((ext_vector_type(WIDTH), aligned(4)));                \
  TARGET __attribute__((always_inline)) static inline void NAME##_points(                          \
      int count, size_t d, size_t first, size_t last, const float *rows, const float *panels,      \
      NAME##_vector *best, NAME##_index *place) {                                                  \
    NAME##_vector value[P];                                                                        \
    NAME##_index where[P];                                                                         \
    _Pragma("unroll") for (int p = 0; p < count; p++) value[p] = best[p], where[p] = place[p];     \
    for (size_t panel = first; panel < last; panel++) {                                            \
      const float *column = panels + panel * (d + 1) * WIDTH;                                      \
      NAME##_vector score[P];                                                                      \
      _Pragma("unroll") for (int p = 0; p < count; p++)                                            \
          score[p] = *(const NAME##_vector *)(column + d * WIDTH);                                 \
      _Pragma("unroll(8)") for (size_t j = 0; j < d; j++) {                                        \
        NAME##_vector channel = *(const NAME##_vector *)(column + j * WIDTH);                      \
        _Pragma("unroll") for (int p = 0; p < count; p++) score[p] += rows[p * d + j] * channel;   \
      }                                                                                            \
      _Pragma("unroll") for (int p = 0; p < count; p++) {                                          \
        NAME##_index better = score[p] > value[p];                                                 \
        value[p] = better ? score[p] : value[p];                                                   \
        where[p] = better ? (NAME##_index)(int32_t)panel : where[p];                               \
      }                                                                                            \
    }                                                                                              \
    _Pragma("unroll") for (int p = 0; p < count; p++) best[p] = value[p], place[p] = where[p];     \
  }                                                                                                \
  TARGET static void NAME(                                                                         \
      size_t points, size_t d, size_t panel_count, const float *rows, const float *panels,         \
      uint32_t *nearest) {                                                                         \
    NAME##_vector best[te_nearest_points];                                                         \
    NAME##_index place[te_nearest_points];                                                         \
    for (size_t i = 0; i < points; i++) {                                                          \
      best[i] = (NAME##_vector)(-__builtin_inff());                                                \
      place[i] = (NAME##_index)(0);                                                                \
    }                                                                                              \
    size_t run = te_nearest_run_floats / ((d + 1) * WIDTH) + 1;                                    \
    for (size_t first = 0; first < panel_count; first += run) {                                    \
      size_t last = first + run < panel_count ? first + run : panel_count;                         \
      size_t i = 0;                                                                                \
      if (d == 8)                                                                                  \
        for (; i + P <= points; i += P)                                                            \
          NAME##_points(P, 8, first, last, rows + i * 8, panels, best + i, place + i);             \
      for (; i + P <= points; i += P)                                                              \
        NAME##_points(P, d, first, last, rows + i * d, panels, best + i, place + i);               \
      for (; i < points; i++)                                                                      \
        NAME##_points(1, d, first, last, rows + i * d, panels, best + i, place + i);               \
    }                                                                                              \
    for (size_t i = 0; i < points; i++) {                                                          \
      int lane = 0;                                                                                \
      for (int other = 1; other < WIDTH; other++)                                                  \
        if (best[i][other] > best[i][lane]) lane = other;                                          \
      nearest[i] = (uint32_t)place[i][lane] * WIDTH + (uint32_t)lane;                              \
    }                                                                                              \
  }

TE_NEAREST_KERNEL(nearest_portable, , 4, 4)

te_nearest_kernel te_nearest_kernel_portable(void) {
  return (te_nearest_kernel){4, nearest_portable, "portable"};
}

#if defined(__x86_64__)
TE_NEAREST_KERNEL(nearest_avx2, __attribute__((target("avx2,fma"))), 8, 4)
TE_NEAREST_KERNEL(nearest_avx512, __attribute__((target("avx512f"))), 16, 8)
#endif

te_nearest_kernel te_nearest_kernel_best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return (te_nearest_kernel){16, nearest_avx512, "AVX-512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (te_nearest_kernel){8, nearest_avx2, "AVX2"};
#endif
  return te_nearest_kernel_portable();
}
