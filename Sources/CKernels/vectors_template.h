// Vectors of LANES floats: loads, stores, sums and eˣ. Included by kernels_template.h, which says what is defined before.

#if defined(__x86_64__)
#define KEEP_VECTOR(v) __asm__("" : "+v"(v))
#elif defined(__aarch64__)
#define KEEP_VECTOR(v) __asm__("" : "+w"(v))
#else
#define KEEP_VECTOR(v) ((void)0)
#endif

#define INLINE static inline __attribute__((always_inline)) TARGET

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
// The same at any address.
typedef float vf_any __attribute__((vector_size(LANES * 4), aligned(2), may_alias));
typedef uint32_t vu_any __attribute__((vector_size(LANES * 4), aligned(2), may_alias));

#define LOAD(p) (*(const vf_any *)(p))
#define STORE(p, v) (*(vf_any *)(p) = (v))
// Less zero, not plus zero: x − 0 is x whatever its sign, so that nothing is left of it but the broadcast.
#define SPREAD(s) ((s) - (vf){0})

INLINE float NAME(sum)(vf v) {
  float lanes[LANES];
  STORE(lanes, v);
  for (int width = LANES / 2; width > 0; width /= 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

typedef float v4 __attribute__((vector_size(16)));

// The sums of four vectors, in an order that is the same for each.
INLINE v4 NAME(four_sums)(vf a, vf b, vf c, vf d) {
#define PAIRS(u, v) \
  (__builtin_shufflevector(u, v, EVEN_OF_TWO) + __builtin_shufflevector(u, v, ODD_OF_TWO))
  vf ab = PAIRS(a, b), cd = PAIRS(c, d), quarters = PAIRS(ab, cd);
#undef PAIRS
#if LANES == 4
  return quarters;
#elif LANES == 8
  return __builtin_shufflevector(quarters, quarters, 0, 1, 2, 3) +
         __builtin_shufflevector(quarters, quarters, 4, 5, 6, 7);
#else
  return (__builtin_shufflevector(quarters, quarters, 0, 1, 2, 3) +
          __builtin_shufflevector(quarters, quarters, 4, 5, 6, 7)) +
         (__builtin_shufflevector(quarters, quarters, 8, 9, 10, 11) +
          __builtin_shufflevector(quarters, quarters, 12, 13, 14, 15));
#endif
}

INLINE float NAME(widest)(vf v) {
  float widest = v[0];
  for (int i = 1; i < LANES; i++) widest = v[i] > widest ? v[i] : widest;
  return widest;
}

// eˣ to about one unit in the last place, 0 below −87: 2ⁿ·eʳ with n = round(x / ln 2) and |r| ≤ ln 2 / 2.
INLINE vf NAME(exp)(vf x) {
  const vf lowest = SPREAD(-87.0f), highest = SPREAD(88.0f);
  vi too_low = x < lowest;
  x = __builtin_elementwise_min(__builtin_elementwise_max(x, lowest), highest);
  // Adding 1.5·2²³ leaves the rounded quotient in the low bits of the float.
  const vf shift = SPREAD(12582912.0f);
  vf shifted = FMADD(x, SPREAD(1.44269504088896341f), shift);
  vf n = shifted - shift;
  vf r = FMADD(n, SPREAD(-0.693359375f), x);
  r = FMADD(n, SPREAD(2.12194440e-4f), r);
  vf p = SPREAD(1.9875691500e-4f);
  p = FMADD(p, r, SPREAD(1.3981999507e-3f));
  p = FMADD(p, r, SPREAD(8.3334519073e-3f));
  p = FMADD(p, r, SPREAD(4.1665795894e-2f));
  p = FMADD(p, r, SPREAD(1.6666665459e-1f));
  p = FMADD(p, r, SPREAD(5.0000001201e-1f));
  p = FMADD(p, r * r, r) + 1.0f;
  vi power = ((vi)shifted << 23) + (vi)p;
  return (vf)(power & ~too_low);
}
