// The kernels, written once in vectors of LANES floats; each kernels_*.c includes this file with
//   NAME(x)          the name of `x` for this instruction set
//   TARGET           the attribute that enables it
//   LANES            floats in a vector
//   FMADD(a, b, c)   a·b + c
//   OUTPUTS_1 … _4   outputs that a tile of 1 … 4 rows computes at once: as many sums as registers
//                    hold, and a divisor of 12
//   WIDE_OUTPUTS     outputs that a tile of sixteen rows computes at once
//   EVEN_OF_TWO, ODD_OF_TWO   of two vectors, within each quarter of four floats, the even and the odd members of
//                    the first and then of the second

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels_internal.h"

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
#define SPREAD(s) ((vf){0} + (s))

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

// MARK: Products

// Outputs are computed in blocks of BLOCK. With more than four rows the columns are taken in chunks, so that the
// weights of a block's chunk stay in the first-level cache until all rows have used them; meanwhile the vectors of
// partial sums are kept, and the sums come out the same as in one go.
enum { NAME(block) = 12, NAME(row_tile) = 64 };
#define CHUNK_BYTES 1024

// Where a tile finds its operands and puts its results.
typedef struct {
  // The first of the tile's rows of weights, and the bytes from one to the next.
  const char *w;
  size_t w_stride;
  // The tile's rows of x, packed.
  const float *x;
  // How many columns to sum over.
  long count;
  // Weights needed soon, laid out as `w`: of every `shares` tiles this group of rows fetches number `share`.
  const char *ahead;
  long share, shares;
  // out[r·stride + j].
  float *out;
  long stride;
  // The partial sums between chunks of columns, a vector for each output and row.
  float *partial;
  int is_first_chunk, is_last_chunk;
} NAME(operands);

// Adds the products of the next LANES (or 2·LANES, for bf16) columns from `k` on.
INLINE void NAME(step)(const NAME(operands) * o, const int bf16, const int outputs, const int rows,
                       long k, vf sums[6][4]) {
#pragma clang loop unroll(full)
  for (int part = 0; part < (bf16 ? 2 : 1); part++) {
    vf weights[6];
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j++) {
      const char *place = o->w + (size_t)j * o->w_stride + (size_t)k * (bf16 ? 2 : 4);
      if (bf16) {
        vu pairs = *(const vu_any *)place;
        weights[j] = part == 0 ? (vf)(pairs << 16) : (vf)(pairs & 0xffff0000u);
      } else {
        weights[j] = LOAD(place);
      }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      vf x = LOAD(o->x + k * rows + (part * rows + r) * LANES);
#pragma clang loop unroll(full)
      for (int j = 0; j < outputs; j++) sums[j][r] = FMADD(weights[j], x, sums[j][r]);
    }
    // The odd halves are loaded again: there are too few registers to keep the pairs.
    if (bf16) __asm__ volatile("" ::: "memory");
  }
}

// Adds the products of the columns from `k` to `end`, whole cache lines of weights at a time.
INLINE long NAME(lines)(const NAME(operands) * o, const int bf16, const int outputs, const int rows,
                        const int fetch, long k, long end, vf sums[6][4]) {
  const long size = bf16 ? 2 : 4, line = 64 / size, step = bf16 ? 2 * LANES : LANES;
  for (; k + line <= end; k += line) {
    if (fetch) {
#pragma clang loop unroll(full)
      for (int j = 0; j < outputs; j++) {
        __builtin_prefetch(o->ahead + (size_t)j * o->w_stride + (size_t)(k * size), 0, 2);
      }
    }
#pragma clang loop unroll(full)
    for (long i = 0; i < line; i += step) NAME(step)(o, bf16, outputs, rows, k + i, sums);
  }
  return k;
}

INLINE float NAME(weight)(const NAME(operands) * o, const int bf16, int j, long k) {
  const char *element = o->w + (size_t)j * o->w_stride + (size_t)(k * (bf16 ? 2 : 4));
  uint32_t bits = 0;
  if (bf16) {
    uint16_t half;
    memcpy(&half, element, 2);
    bits = (uint32_t)half << 16;
  } else {
    memcpy(&bits, element, 4);
  }
  float weight;
  memcpy(&weight, &bits, 4);
  return weight;
}

INLINE void NAME(tile)(const NAME(operands) * operands, const int bf16, const int outputs,
                       const int rows, int fetch) {
  const NAME(operands) o = *operands;
  vf sums[6][4];
#pragma clang loop unroll(full)
  for (int j = 0; j < outputs; j++) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      sums[j][r] = o.is_first_chunk ? (vf){0} : LOAD(o.partial + (j * rows + r) * LANES);
    }
  }
  long k = fetch ? NAME(lines)(&o, bf16, outputs, rows, 1, 0, o.count, sums)
                 : NAME(lines)(&o, bf16, outputs, rows, 0, 0, o.count, sums);
  const long step = bf16 ? 2 * LANES : LANES;
  for (; k + step <= o.count; k += step) NAME(step)(&o, bf16, outputs, rows, k, sums);
  if (!o.is_last_chunk) {
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j++) {
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) STORE(o.partial + (j * rows + r) * LANES, sums[j][r]);
    }
    return;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j += 4) {
      const vf zero = {0};
      v4 totals = NAME(four_sums)(sums[j][r], j + 1 < outputs ? sums[j + 1][r] : zero,
                                  j + 2 < outputs ? sums[j + 2][r] : zero,
                                  j + 3 < outputs ? sums[j + 3][r] : zero);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4 && j + i < outputs; i++) o.out[r * o.stride + j + i] = totals[i];
    }
  }
  for (; k < o.count; k++) {
    for (int j = 0; j < outputs; j++) {
      const float weight = NAME(weight)(&o, bf16, j, k);
      for (int r = 0; r < rows; r++) o.out[r * o.stride + j] += weight * o.x[k * rows + r];
    }
  }
}

// All outputs of a block for one group of up to four rows.
INLINE void NAME(row_group)(NAME(operands) o, const int bf16, const int rows, const int at_once,
                            long outputs) {
  long j = 0, turn = 0;
  for (; j + at_once <= outputs; j += at_once) {
    NAME(tile)(&o, bf16, at_once, rows, turn == o.share);
    turn = turn + 1 == o.shares ? 0 : turn + 1;
    o.w += (size_t)at_once * o.w_stride;
    o.ahead += (size_t)at_once * o.w_stride;
    o.out += at_once;
    o.partial += at_once * rows * LANES;
  }
  for (; j < outputs; j++) {
    NAME(tile)(&o, bf16, 1, rows, 0);
    o.w += o.w_stride;
    o.ahead += o.w_stride;
    o.out += 1;
    o.partial += rows * LANES;
  }
}

// Functions of their own, so that the compiler gives the registers of each to its sums.
#define ROW_GROUP(type, bf16, rows, at_once)                                                     \
  __attribute__((noinline)) TARGET static void NAME(type##_##rows)(const NAME(operands) * o,     \
                                                                   long outputs) {               \
    NAME(row_group)(*o, bf16, rows, at_once, outputs);                                           \
  }
ROW_GROUP(float32, 0, 1, OUTPUTS_1)
ROW_GROUP(float32, 0, 2, OUTPUTS_2)
ROW_GROUP(float32, 0, 3, OUTPUTS_3)
ROW_GROUP(float32, 0, 4, OUTPUTS_4)
ROW_GROUP(bfloat16, 1, 1, OUTPUTS_1)
ROW_GROUP(bfloat16, 1, 2, OUTPUTS_2)
ROW_GROUP(bfloat16, 1, 3, OUTPUTS_3)
ROW_GROUP(bfloat16, 1, 4, OUTPUTS_4)
#undef ROW_GROUP

TARGET static void NAME(products)(const te_weights *weights, const float *x, long rows, long first,
                                  long last, float *out, long stride) {
  static void (*const groups[2][4])(const NAME(operands) *, long) = {
      {NAME(float32_1), NAME(float32_2), NAME(float32_3), NAME(float32_4)},
      {NAME(bfloat16_1), NAME(bfloat16_2), NAME(bfloat16_3), NAME(bfloat16_4)}};
  const int bf16 = weights->precision == TE_BFLOAT16;
  const long size = bf16 ? 2 : 4, line = 64 / size;
  const long inputs = weights->inputs;
  const size_t w_stride = (size_t)(inputs * size);
  const long chunk = rows > 4 ? CHUNK_BYTES / size : inputs;
  float partial[NAME(block) * NAME(row_tile) * LANES];
  for (long j = first; j < last; j += NAME(block)) {
    const long outputs = j + NAME(block) < last ? NAME(block) : last - j;
    for (long tile = 0; tile < rows; tile += NAME(row_tile)) {
      const long tile_end = tile + NAME(row_tile) < rows ? tile + NAME(row_tile) : rows;
      const long shares = (tile_end - tile + 3) / 4;
      for (long k = 0; k < inputs; k += chunk) {
        const long count = k + chunk < inputs ? chunk : inputs - k;
        const char *w = (const char *)weights->elements + (size_t)j * w_stride + (size_t)(k * size);
        for (long r = tile; r < tile_end; r += 4) {
          const long group = rows - r < 4 ? rows - r : 4;
          const NAME(operands) o = {
              .w = w,
              .w_stride = w_stride,
              .x = x + r * inputs + k * group,
              .count = count,
              .ahead = w + NAME(block) * w_stride,
              .share = (r - tile) / 4,
              .shares = shares,
              .out = out + r * stride + (j - first),
              .stride = stride,
              .partial = partial + (r - tile) * NAME(block) * LANES,
              .is_first_chunk = k == 0,
              .is_last_chunk = k + count == inputs,
          };
          groups[bf16][group - 1](&o, outputs);
        }
      }
    }
  }
}

// Rows are packed by fours, in the order a tile reads them: a vector of each row in turn. For bf16 weights, whose
// vectors of pairs come apart into even and odd elements, x is taken apart alike. What does not fill a vector follows
// element by element.
TARGET static void NAME(pack)(te_precision precision, const float *x, long rows, long inputs,
                              float *out) {
  for (long first = 0; first < rows; first += 4) {
    const long group = rows - first < 4 ? rows - first : 4;
    const float *from = x + first * inputs;
    float *to = out + first * inputs;
    long k = 0;
    if (precision == TE_BFLOAT16) {
      for (; k + 2 * LANES <= inputs; k += 2 * LANES) {
        for (long r = 0; r < group; r++) {
          for (long i = 0; i < LANES; i++) {
            to[k * group + r * LANES + i] = from[r * inputs + k + 2 * i];
            to[k * group + (group + r) * LANES + i] = from[r * inputs + k + 2 * i + 1];
          }
        }
      }
    } else {
      for (; k + LANES <= inputs; k += LANES) {
        for (long r = 0; r < group; r++) {
          STORE(to + k * group + r * LANES, LOAD(from + r * inputs + k));
        }
      }
    }
    for (; k < inputs; k++) {
      for (long r = 0; r < group; r++) to[k * group + r] = from[r * inputs + k];
    }
  }
}

// MARK: Products with many rows

// Here the lanes of a vector are sixteen rows of x, and a weight is spread over them: no sum has to be put together
// from lanes, and a tile of WIDE_OUTPUTS outputs reads each weight once for sixteen rows. The columns are taken in
// chunks, whose part of x stays in the first-level cache while the outputs of a piece go by.
enum { NAME(wide_vectors) = TE_WIDE_ROWS / LANES, NAME(wide_chunk) = 128 };

// Adds the products with column `k` of bf16 weights (of a pair: the even one, or the odd one above it) or f32 weights.
INLINE void NAME(wide_step)(const char *w, size_t w_stride, const float *x, const int bf16,
                            const int odd, long k, vf sums[WIDE_OUTPUTS][NAME(wide_vectors)]) {
  vf rows[NAME(wide_vectors)];
#pragma clang loop unroll(full)
  for (int v = 0; v < NAME(wide_vectors); v++) {
    rows[v] = LOAD(x + (k + odd) * TE_WIDE_ROWS + v * LANES);
  }
#pragma clang loop unroll(full)
  for (int j = 0; j < WIDE_OUTPUTS; j++) {
    uint32_t bits;
    memcpy(&bits, w + (size_t)j * w_stride + (size_t)k * (bf16 ? 2 : 4), 4);
    vu spread = (vu){0} + bits;
    // Or else the compiler takes the pair apart before it spreads it, in more instructions.
    if (bf16) KEEP_VECTOR(spread);
    vf weight = (vf)(bf16 ? odd ? spread & 0xffff0000u : spread << 16 : spread);
#pragma clang loop unroll(full)
    for (int v = 0; v < NAME(wide_vectors); v++) sums[j][v] = FMADD(weight, rows[v], sums[j][v]);
  }
}

// One tile: WIDE_OUTPUTS rows of weights, sixteen rows of x, `count` columns. `partial` holds the sums between chunks.
INLINE void NAME(wide_tile)(const char *w, size_t w_stride, const float *x, const int bf16, long count,
                            const char *ahead, float *partial) {
  const long line = bf16 ? 32 : 16;
  vf sums[WIDE_OUTPUTS][NAME(wide_vectors)];
#pragma clang loop unroll(full)
  for (int j = 0; j < WIDE_OUTPUTS; j++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < NAME(wide_vectors); v++) {
      sums[j][v] = LOAD(partial + j * TE_WIDE_ROWS + v * LANES);
    }
  }
  long k = 0;
  for (; k + line <= count; k += line) {
    if (ahead != NULL) {
#pragma clang loop unroll(full)
      for (int j = 0; j < WIDE_OUTPUTS; j++) {
        __builtin_prefetch(ahead + (size_t)j * w_stride + (size_t)k * (bf16 ? 2 : 4), 0, 3);
      }
    }
#pragma clang loop unroll_count(2)
    for (long i = 0; i < line; i += bf16 ? 2 : 1) {
      NAME(wide_step)(w, w_stride, x, bf16, 0, k + i, sums);
      if (bf16) {
        // The pair is loaded again: there are too few registers to keep it.
        __asm__ volatile("" ::: "memory");
        NAME(wide_step)(w, w_stride, x, bf16, 1, k + i, sums);
        __asm__ volatile("" ::: "memory");
      }
    }
  }
  for (; k + (bf16 ? 2 : 1) <= count; k += bf16 ? 2 : 1) {
    NAME(wide_step)(w, w_stride, x, bf16, 0, k, sums);
    if (bf16) NAME(wide_step)(w, w_stride, x, bf16, 1, k, sums);
  }
#pragma clang loop unroll(full)
  for (int j = 0; j < WIDE_OUTPUTS; j++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < NAME(wide_vectors); v++) {
      STORE(partial + j * TE_WIDE_ROWS + v * LANES, sums[j][v]);
    }
  }
}

__attribute__((noinline)) TARGET static void NAME(wide_float32)(const char *w, size_t w_stride,
                                                                const float *x, long count,
                                                                const char *ahead, float *partial) {
  NAME(wide_tile)(w, w_stride, x, 0, count, ahead, partial);
}

__attribute__((noinline)) TARGET static void NAME(wide_bfloat16)(const char *w, size_t w_stride,
                                                                 const float *x, long count,
                                                                 const char *ahead, float *partial) {
  NAME(wide_tile)(w, w_stride, x, 1, count, ahead, partial);
}

// Outputs, or columns, that fill no tile: one sum after the other, in the same order.
INLINE void NAME(wide_rest)(const char *w, const float *x, const int bf16, long first, long last,
                            float *partial) {
  for (long k = first; k < last; k++) {
    uint32_t bits = 0;
    if (bf16) {
      uint16_t half;
      memcpy(&half, w + k * 2, 2);
      bits = (uint32_t)half << 16;
    } else {
      memcpy(&bits, w + k * 4, 4);
    }
    vf weight = (vf)((vu){0} + bits);
    for (int v = 0; v < NAME(wide_vectors); v++) {
      float *sum = partial + v * LANES;
      STORE(sum, FMADD(weight, LOAD(x + k * TE_WIDE_ROWS + v * LANES), LOAD(sum)));
    }
  }
}

TARGET static void NAME(wide_products)(const te_weights *weights, const float *x, long rows,
                                       long first, long last, float *out, long stride) {
  const int bf16 = weights->precision == TE_BFLOAT16;
  const long size = bf16 ? 2 : 4, inputs = weights->inputs;
  const size_t w_stride = (size_t)(inputs * size);
  const char *elements = weights->elements;
  float partial[TE_PIECE * TE_WIDE_ROWS];
  for (long group = 0; group < rows; group += TE_WIDE_ROWS) {
    const float *from = x + group * inputs;
    memset(partial, 0, (size_t)((last - first) * TE_WIDE_ROWS) * sizeof(float));
    for (long k = 0; k < inputs; k += NAME(wide_chunk)) {
      const long count = k + NAME(wide_chunk) < inputs ? NAME(wide_chunk) : inputs - k;
      const long whole = bf16 ? count / 2 * 2 : count;
      const float *chunk = from + k * TE_WIDE_ROWS;
      long j = first;
      for (; j + WIDE_OUTPUTS <= last; j += WIDE_OUTPUTS) {
        const char *w = elements + (size_t)j * w_stride + (size_t)(k * size);
        float *sums = partial + (j - first) * TE_WIDE_ROWS;
        // The tile after this one: further down, or at the top of the next chunk.
        const char *ahead = j + 2 * WIDE_OUTPUTS <= last
                                ? w + WIDE_OUTPUTS * w_stride
                                : elements + (size_t)first * w_stride +
                                      (size_t)((k + NAME(wide_chunk)) * size);
        if (group > 0) ahead = NULL;
        (bf16 ? NAME(wide_bfloat16) : NAME(wide_float32))(w, w_stride, chunk, count, ahead, sums);
        for (int i = 0; i < WIDE_OUTPUTS && whole < count; i++) {
          NAME(wide_rest)(w + (size_t)i * w_stride, chunk, bf16, whole, count, sums + i * TE_WIDE_ROWS);
        }
      }
      for (; j < last; j++) {
        NAME(wide_rest)(elements + (size_t)j * w_stride + (size_t)(k * size), chunk, bf16, 0, count,
                        partial + (j - first) * TE_WIDE_ROWS);
      }
    }
    const long group_rows = rows - group < TE_WIDE_ROWS ? rows - group : TE_WIDE_ROWS;
    for (long r = 0; r < group_rows; r++) {
      for (long j = 0; j < last - first; j++) {
        out[(group + r) * stride + j] = partial[j * TE_WIDE_ROWS + r];
      }
    }
  }
}

// Sixteen rows to a group, column by column; rows that a group lacks are zero.
TARGET static void NAME(wide_pack)(const float *x, long rows, long inputs, long first, long last,
                                   float *out) {
  for (long group = 0; group < rows; group += TE_WIDE_ROWS) {
    const long count = rows - group < TE_WIDE_ROWS ? rows - group : TE_WIDE_ROWS;
    for (long k = first; k < last; k++) {
      float *to = out + group * inputs + k * TE_WIDE_ROWS;
      for (long r = 0; r < count; r++) to[r] = x[(group + r) * inputs + k];
      for (long r = count; r < TE_WIDE_ROWS; r++) to[r] = 0;
    }
  }
}

// MARK: Elementwise

TARGET static void NAME(gate)(float *a, const float *b, long count) {
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    vf x = LOAD(a + i);
    STORE(a + i, x / (1.0f + NAME(exp)(-x)) * LOAD(b + i));
  }
  for (; i < count; i++) a[i] = a[i] / (1.0f + expf(-a[i])) * b[i];
}

TARGET static void NAME(add)(float *a, const float *b, long count) {
  for (long i = 0; i < count; i++) a[i] += b[i];
}

TARGET static void NAME(rms_norm)(const float *x, const float *weight, long width, float epsilon,
                                  float *out) {
  vf squares[4] = {{0}, {0}, {0}, {0}};
  long i = 0;
  for (; i + 4 * LANES <= width; i += 4 * LANES) {
    for (int j = 0; j < 4; j++) {
      vf v = LOAD(x + i + j * LANES);
      squares[j] = FMADD(v, v, squares[j]);
    }
  }
  float total = NAME(sum)((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (; i < width; i++) total += x[i] * x[i];
  float scale = 1.0f / sqrtf(total / (float)width + epsilon);
  for (i = 0; i < width; i++) out[i] = x[i] * scale * weight[i];
}

INLINE float NAME(exponentials)(float *values, long count) {
  float widest = values[0];
  long i = 0;
  if (count >= LANES) {
    vf v = LOAD(values);
    for (i = LANES; i + LANES <= count; i += LANES) {
      vf next = LOAD(values + i);
      v = __builtin_elementwise_max(v, next);
    }
    widest = NAME(widest)(v);
  }
  for (; i < count; i++) widest = values[i] > widest ? values[i] : widest;
  vf totals = {0};
  for (i = 0; i + LANES <= count; i += LANES) {
    vf e = NAME(exp)(LOAD(values + i) - widest);
    STORE(values + i, e);
    totals += e;
  }
  float total = NAME(sum)(totals);
  for (; i < count; i++) {
    values[i] = expf(values[i] - widest);
    total += values[i];
  }
  return total;
}

TARGET static void NAME(softmax)(float *values, long count) {
  float scale = 1.0f / NAME(exponentials)(values, count);
  for (long i = 0; i < count; i++) values[i] *= scale;
}

// MARK: Attention

enum { NAME(block_vectors) = TE_KEY_BLOCK / LANES };

// Scores of `rows` queries against all keys in `blocks` blocks; scores[r·stride + position].
INLINE void NAME(scores)(const float *queries, const float *keys, long blocks, long head_width,
                         const int rows, float *scores, long stride) {
  for (long block = 0; block < blocks; block++) {
    const float *k = keys + block * TE_KEY_BLOCK * head_width;
    vf sums[4][NAME(block_vectors)];
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < NAME(block_vectors); v++) sums[r][v] = (vf){0};
    }
    for (long d = 0; d < head_width; d++) {
      for (int v = 0; v < NAME(block_vectors); v++) {
        vf key = LOAD(k + d * TE_KEY_BLOCK + v * LANES);
        for (int r = 0; r < rows; r++) {
          sums[r][v] = FMADD(SPREAD(queries[r * head_width + d]), key, sums[r][v]);
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < NAME(block_vectors); v++) {
        STORE(scores + r * stride + block * TE_KEY_BLOCK + v * LANES, sums[r][v]);
      }
    }
  }
}

// Sums of values weighted by `weights`, for `rows` rows and the 16 coordinates from `values` on.
INLINE void NAME(weighted)(const float *weights, long weight_stride, const float *values,
                           long value_stride, long count, const int rows, const float *scales,
                           float *out, long out_stride, long width) {
  vf sums[4][NAME(block_vectors)];
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < NAME(block_vectors); v++) sums[r][v] = (vf){0};
  }
  for (long position = 0; position < count; position++) {
    for (int v = 0; v < NAME(block_vectors); v++) {
      vf value = LOAD(values + position * value_stride + v * LANES);
      for (int r = 0; r < rows; r++) {
        sums[r][v] = FMADD(SPREAD(weights[r * weight_stride + position]), value, sums[r][v]);
      }
    }
  }
  for (int r = 0; r < rows; r++) {
    float whole[TE_KEY_BLOCK];
    for (int v = 0; v < NAME(block_vectors); v++) {
      STORE(whole + v * LANES, sums[r][v] * scales[r]);
    }
    memcpy(out + r * out_stride, whole, (size_t)width * sizeof(float));
  }
}

INLINE void NAME(attend_rows)(const te_attention_job *job, long slot, long head, long row,
                              const int rows, const float *queries, const float *keys,
                              const float *values, float *scores) {
  const long width = job->head_width, model_width = job->heads * width;
  const long stride = (job->capacity + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  const long value_stride = (width + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  long furthest = 0;
  for (int r = 0; r < rows; r++) {
    if (job->visible[row + r] > furthest) furthest = job->visible[row + r];
  }
  NAME(scores)(queries + row * width, keys, (furthest + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK, width,
               rows, scores, stride);
  float scales[4];
  for (int r = 0; r < rows; r++) {
    const long seen = job->visible[row + r];
    scales[r] = 1.0f / NAME(exponentials)(scores + r * stride, seen);
    for (long i = seen; i < furthest; i++) scores[r * stride + i] = 0;
  }
  float *out = job->out + (slot * job->rows + row) * model_width + head * width;
  for (long d = 0; d < width; d += TE_KEY_BLOCK) {
    NAME(weighted)(scores, stride, values + d, value_stride, furthest, rows, scales, out + d,
                   model_width, width - d < TE_KEY_BLOCK ? width - d : TE_KEY_BLOCK);
  }
}

TARGET static void NAME(attend)(const te_attention_job *job, long slot, long head, float *scratch) {
  const long width = job->head_width, model_width = job->heads * width;
  const long value_stride = (width + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  const long head_index = slot * job->heads + head;
  float *keys = job->keys + head_index * te_key_floats(job->capacity, width);
  float *values = job->values + head_index * te_value_floats(job->capacity, width);
  float *queries = scratch, *scores = scratch + (job->rows * width + 15) / 16 * 16;
  const float scale = 1.0f / sqrtf((float)width);
  for (long row = 0; row < job->rows; row++) {
    const float *q = job->qkv + (slot * job->rows + row) * 3 * model_width + head * width;
    const float *k = q + model_width, *v = k + model_width;
    const float *cosines = job->cosines + row * (width / 2), *sines = job->sines + row * (width / 2);
    const long position = job->first + row;
    float *key = keys + position / TE_KEY_BLOCK * TE_KEY_BLOCK * width + position % TE_KEY_BLOCK;
    for (long i = 0; i < width / 2; i++) {
      const float c = cosines[i], s = sines[i];
      queries[row * width + 2 * i] = (q[2 * i] * c - q[2 * i + 1] * s) * scale;
      queries[row * width + 2 * i + 1] = (q[2 * i + 1] * c + q[2 * i] * s) * scale;
      key[2 * i * TE_KEY_BLOCK] = k[2 * i] * c - k[2 * i + 1] * s;
      key[(2 * i + 1) * TE_KEY_BLOCK] = k[2 * i + 1] * c + k[2 * i] * s;
    }
    memcpy(values + position * value_stride, v, (size_t)width * sizeof(float));
  }
  long row = 0;
  for (; row + 4 <= job->rows; row += 4) {
    NAME(attend_rows)(job, slot, head, row, 4, queries, keys, values, scores);
  }
  for (; row < job->rows; row++) {
    NAME(attend_rows)(job, slot, head, row, 1, queries, keys, values, scores);
  }
}

TARGET static uint64_t NAME(read_all)(const void *bytes, long count) {
  const char *p = bytes;
  vu totals[4] = {{0}, {0}, {0}, {0}};
  long i = 0;
  for (; i + 16 * LANES <= count; i += 16 * LANES) {
    for (int j = 0; j < 4; j++) totals[j] ^= *(const vu_any *)(p + i + j * LANES * 4);
  }
  vu total = (totals[0] ^ totals[1]) ^ (totals[2] ^ totals[3]);
  uint64_t result = 0;
  for (int j = 0; j < LANES; j++) result ^= total[j];
  for (; i < count; i++) result ^= (uint64_t)(unsigned char)p[i];
  return result;
}

const te_kernels NAME(kernels) = {
    .name = KERNEL_NAME,
    .pack = NAME(pack),
    .products = NAME(products),
    .wide_pack = NAME(wide_pack),
    .wide_products = NAME(wide_products),
    .gate = NAME(gate),
    .add = NAME(add),
    .rms_norm = NAME(rms_norm),
    .softmax = NAME(softmax),
    .attend = NAME(attend),
    .read_all = NAME(read_all),
};
