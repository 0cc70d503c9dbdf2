// The kernels, written once in vectors of LANES floats; each kernels_*.c includes this file with
//   NAME(x)          the name of `x` for this instruction set
//   TARGET           the attribute that enables it
//   LANES            floats in a vector
//   FMADD(a, b, c)   a·b + c
//   OUTPUTS_1 … _4   outputs that a tile of 1 … 4 rows computes at once: as many sums as registers hold
//   BLOCK            outputs that many rows take together, a multiple of OUTPUTS_4: weights are fetched so far ahead,
//                    further than memory is slow and not so far that they are lost again
//   PAIR_BLOCK, PAIR_OUTPUTS_4   BLOCK and OUTPUTS_4 for bf16 weights
//   MANY_QUERIES     queries of the largest tile of attention; others are of 4 and of 1
//   BLOCKS_1, _4, _MANY   blocks of keys that a tile of so many queries computes at once
//   EVEN_OF_TWO, ODD_OF_TWO   of two vectors, within each quarter of four floats, the even and the odd members of
//                    the first and then of the second
//   EVEN_MEMBERS, ODD_MEMBERS   the same of two vectors laid end to end

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

// MARK: Products

// Up to four rows use every weight as it comes from memory. With more, the columns are taken in chunks: the tiles of a block
// of outputs follow each other through one chunk, and all rows use a tile's weights while these are in the first-level
// cache. Between chunks the vectors of partial sums are kept, so that the sums come out the same as in one go.
enum { NAME(row_tile) = 64, NAME(chunk_bytes) = 2048 };
// How many outputs ahead weights are fetched for four rows or fewer, which take no time to wait for them.
enum { NAME(fetched_rows) = 12, NAME(page_bytes) = 4096 };

// Where a tile finds its operands and puts its results.
typedef struct {
  // The first of the tile's rows of weights, and the bytes from one to the next.
  const char *w;
  size_t w_stride;
  // The tile's rows of x, packed.
  const float *x;
  // How many columns to sum over.
  long count;
  // Weights needed soon. Where `alike`, they are laid out as `w`, and with every cache line of weights that a tile uses
  // it fetches one of these. Otherwise they are fetched from start to end, `fetches` lines for two columns of lines.
  const char *ahead;
  int alike, fetches;
  // out[r·stride + j·step], for the first `kept` rows of the tile; others only fill it up.
  float *out;
  long stride, step, kept;
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
    // The odd halves are loaded again where there are too few registers to keep the pairs.
    if (bf16 && !(LANES == 16 && rows == 4)) __asm__ volatile("" ::: "memory");
  }
}

// Adds the products of the columns from `k` to `end`, whole cache lines of weights at a time.
INLINE long NAME(lines)(const NAME(operands) * o, const int bf16, const int outputs, const int rows,
                        const int alike, long k, long end, vf sums[6][4]) {
  const long size = bf16 ? 2 : 4, line = 64 / size, step = bf16 ? 2 * LANES : LANES;
  const char *ahead = o->ahead;
  // The fetches of two lines, dealt out in turns.
  int now = (o->fetches + 1) / 2, then = o->fetches / 2;
  for (; k + line <= end; k += line) {
    if (alike) {
#pragma clang loop unroll(full)
      for (int j = 0; j < outputs; j++) {
        __builtin_prefetch(ahead + (size_t)j * o->w_stride + (size_t)(k * size), 0, 2);
      }
    } else {
#pragma clang loop unroll(disable)
      for (int i = 0; i < now; i++, ahead += 64) __builtin_prefetch(ahead, 0, 2);
      const int next = then;
      then = now;
      now = next;
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
                       const int rows) {
  const NAME(operands) o = *operands;
  vf sums[6][4];
#pragma clang loop unroll(full)
  for (int j = 0; j < outputs; j++) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      sums[j][r] = o.is_first_chunk ? (vf){0} : LOAD(o.partial + (j * rows + r) * LANES);
    }
  }
  long k = o.alike ? NAME(lines)(&o, bf16, outputs, rows, 1, 0, o.count, sums)
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
    if (r >= o.kept) break;
#pragma clang loop unroll(full)
    for (int j = 0; j < outputs; j += 4) {
      const vf zero = {0};
      v4 totals = NAME(four_sums)(sums[j][r], j + 1 < outputs ? sums[j + 1][r] : zero,
                                  j + 2 < outputs ? sums[j + 2][r] : zero,
                                  j + 3 < outputs ? sums[j + 3][r] : zero);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4 && j + i < outputs; i++) o.out[r * o.stride + (j + i) * o.step] = totals[i];
    }
  }
  for (; k < o.count; k++) {
    for (int j = 0; j < outputs; j++) {
      const float weight = NAME(weight)(&o, bf16, j, k);
      for (int r = 0; r < o.kept; r++) {
        o.out[r * o.stride + j * o.step] += weight * o.x[k * rows + r];
      }
    }
  }
}

// All outputs of a block for one group of up to four rows.
INLINE void NAME(row_group)(NAME(operands) o, const int bf16, const int rows, const int at_once,
                            long outputs) {
  long j = 0;
  const size_t further = o.alike ? (size_t)at_once * o.w_stride
                                 : (size_t)(o.count * (bf16 ? 2 : 4) / 128 * o.fetches * 64);
  for (; j + at_once <= outputs; j += at_once) {
    NAME(tile)(&o, bf16, at_once, rows);
    o.w += (size_t)at_once * o.w_stride;
    o.ahead += further;
    o.out += at_once * o.step;
    o.partial += at_once * rows * LANES;
  }
  for (; j < outputs; j++) {
    NAME(tile)(&o, bf16, 1, rows);
    o.w += o.w_stride;
    o.out += o.step;
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
ROW_GROUP(bfloat16, 1, 4, PAIR_OUTPUTS_4)
#undef ROW_GROUP

// One tile of outputs for groups of four rows, o.kept rows in all; the first `shares` groups fetch, each its share of
// `ahead`.
INLINE void NAME(row_groups)(NAME(operands) o, const int bf16, const int at_once, long shares,
                             long x_stride) {
  const size_t further = (size_t)(o.count * (bf16 ? 2 : 4) / 128 * o.fetches * 64);
  const int fetches = o.fetches;
  for (long group = 0; o.kept > 0; group++, o.kept -= 4) {
    o.fetches = group < shares && group * fetches < 2 * at_once ? fetches : 0;
    NAME(tile)(&o, bf16, at_once, 4);
    o.x += x_stride;
    o.ahead += further;
    o.out += 4 * o.stride;
    o.partial += at_once * 4 * LANES;
  }
}

#define ROW_GROUPS(type, bf16, at_once)                                                         \
  __attribute__((noinline)) TARGET static void NAME(type##_groups)(                             \
      const NAME(operands) * o, long shares, long x_stride) {                                   \
    NAME(row_groups)(*o, bf16, at_once, shares, x_stride);                                      \
  }
ROW_GROUPS(float32, 0, OUTPUTS_4)
ROW_GROUPS(bfloat16, 1, PAIR_OUTPUTS_4)
#undef ROW_GROUPS

// Functions for the outputs of one group of rows, by precision and number of rows less one.
static void (*const NAME(groups_of_rows)[2][4])(const NAME(operands) *, long) = {
    {NAME(float32_1), NAME(float32_2), NAME(float32_3), NAME(float32_4)},
    {NAME(bfloat16_1), NAME(bfloat16_2), NAME(bfloat16_3), NAME(bfloat16_4)}};

// One tile of outputs for o.kept rows, up to row_tile of them, packed by fours. While a tile is used another one may be
// fetched, evenly: two lines for every two of this one.
INLINE void NAME(many_rows)(NAME(operands) o, const int bf16, const int fetch, long outputs, long inputs) {
  const long at_once = bf16 ? PAIR_OUTPUTS_4 : OUTPUTS_4, groups = (o.kept + 3) / 4;
  if (outputs == at_once) {
    const long shares = groups < 4 ? groups : 4;
    o.fetches = fetch ? (int)((2 * at_once + shares - 1) / shares) : 0;
    (bf16 ? NAME(bfloat16_groups) : NAME(float32_groups))(&o, shares, 4 * inputs);
    return;
  }
  for (; o.kept > 0; o.kept -= 4) {
    NAME(groups_of_rows)[bf16][3](&o, outputs);
    o.x += 4 * inputs;
    o.out += 4 * o.stride;
    o.partial += outputs * 4 * LANES;
  }
}

// All outputs for up to four rows.
//
// Where two rows of weights share a page of memory, a tile takes every second row, and the next tile those between. Rows
// read side by side within one page are measurably slower; presumably because processors fetch ahead along one run in
// each page.
INLINE void NAME(few_rows)(const te_weights *weights, const float *x, long rows, long first,
                           long last, float *out, long stride) {
  static const long at_once[2][4] = {{OUTPUTS_1, OUTPUTS_2, OUTPUTS_3, OUTPUTS_4},
                                     {OUTPUTS_1, OUTPUTS_2, OUTPUTS_3, PAIR_OUTPUTS_4}};
  const int bf16 = weights->precision == TE_BFLOAT16;
  const size_t w_stride = (size_t)weights->inputs * (bf16 ? 2 : 4);
  const long tile = at_once[bf16][rows - 1];
  const long step = w_stride < NAME(page_bytes) ? 2 : 1;
  NAME(operands) o = {
      .w_stride = w_stride * (size_t)step,
      .x = x,
      .count = weights->inputs,
      .alike = 1,
      .stride = stride,
      .step = step,
      .kept = rows,
      .is_first_chunk = 1,
      .is_last_chunk = 1,
  };
  long j = first;
  for (; step == 2 && j + 2 * tile <= last; j += 2 * tile) {
    for (long half = 0; half < 2; half++) {
      o.w = (const char *)weights->elements + (size_t)(j + half) * w_stride;
      o.ahead = o.w + NAME(fetched_rows) * w_stride;
      o.out = out + (j - first) + half;
      NAME(groups_of_rows)[bf16][rows - 1](&o, tile);
    }
  }
  if (j == last) return;
  o.w = (const char *)weights->elements + (size_t)j * w_stride;
  o.w_stride = w_stride;
  o.ahead = o.w + NAME(fetched_rows) * w_stride;
  o.out = out + (j - first);
  o.step = 1;
  NAME(groups_of_rows)[bf16][rows - 1](&o, last - j);
}

TARGET static void NAME(products)(const te_weights *weights, const float *x, long rows, long first,
                                  long last, float *out, long stride) {
  const int bf16 = weights->precision == TE_BFLOAT16;
  const long size = bf16 ? 2 : 4, inputs = weights->inputs;
  const size_t w_stride = (size_t)(inputs * size);
  const char *const elements = (const char *)weights->elements;
  if (rows <= 4) {
    NAME(few_rows)(weights, x, rows, first, last, out, stride);
    return;
  }
  const long chunk = NAME(chunk_bytes) / size, block_outputs = bf16 ? PAIR_BLOCK : BLOCK;
  const long at_once = bf16 ? PAIR_OUTPUTS_4 : OUTPUTS_4;
  _Alignas(64) float partial[(PAIR_BLOCK > BLOCK ? PAIR_BLOCK : BLOCK) * NAME(row_tile) * LANES];
  for (long j = first; j < last; j += block_outputs) {
    const long outputs = j + block_outputs < last ? block_outputs : last - j;
    const char *const block = elements + (size_t)j * w_stride;
    for (long tile = 0; tile < rows; tile += NAME(row_tile)) {
      const long tile_rows = tile + NAME(row_tile) < rows ? NAME(row_tile) : rows - tile;
      // The next block is fetched from its start to its end, as fast as this one is used.
      const char *ahead = block + (size_t)block_outputs * w_stride;
      for (long k = 0; k < inputs; k += chunk) {
        const long count = k + chunk < inputs ? chunk : inputs - k;
        for (long i = 0; i < outputs; i += at_once) {
          const long some = i + at_once < outputs ? at_once : outputs - i;
          const NAME(operands) o = {
              .w = block + (size_t)i * w_stride + (size_t)(k * size),
              .w_stride = w_stride,
              .x = x + tile * inputs + 4 * k,
              .count = count,
              .ahead = ahead,
              .alike = 0,
              .out = out + tile * stride + (j - first) + i,
              .stride = stride,
              .step = 1,
              .kept = tile_rows,
              .partial = partial + i * NAME(row_tile) * LANES,
              .is_first_chunk = k == 0,
              .is_last_chunk = k + count == inputs,
          };
          NAME(many_rows)(o, bf16, tile == 0, some, inputs);
          ahead += some * count * size;
        }
      }
    }
  }
}

// Rows are packed by fours, in the order a tile reads them: a vector of each row in turn. With more than four rows the last
// group is filled up with zeros. For bf16 weights, whose
// vectors of pairs come apart into even and odd elements, x is taken apart alike. What does not fill a vector follows
// element by element.
TARGET static void NAME(pack)(te_precision precision, const float *x, long rows, long inputs, long start,
                              long end, float *out) {
  for (long first = 0; first < rows; first += 4) {
    const long kept = rows - first < 4 ? rows - first : 4, group = rows > 4 ? 4 : rows;
    const float *from = x + first * inputs;
    float *to = out + first * inputs;
    long k = start;
    if (precision == TE_BFLOAT16) {
      for (; k + 2 * LANES <= end; k += 2 * LANES) {
        for (long r = 0; r < group; r++) {
          if (r >= kept) {
            STORE(to + k * group + r * LANES, (vf){0});
            STORE(to + k * group + (group + r) * LANES, (vf){0});
            continue;
          }
          const vf a = LOAD(from + r * inputs + k), b = LOAD(from + r * inputs + k + LANES);
          STORE(to + k * group + r * LANES, __builtin_shufflevector(a, b, EVEN_MEMBERS));
          STORE(to + k * group + (group + r) * LANES, __builtin_shufflevector(a, b, ODD_MEMBERS));
        }
      }
    } else {
      for (; k + LANES <= end; k += LANES) {
        for (long r = 0; r < group; r++) {
          STORE(to + k * group + r * LANES, r < kept ? LOAD(from + r * inputs + k) : (vf){0});
        }
      }
    }
    for (; k < end; k++) {
      for (long r = 0; r < group; r++) {
        to[k * group + r] = r < kept ? from[r * inputs + k] : 0.0f;
      }
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

// New positions are taken by up to TE_QUERY_BLOCK together: a block of keys, or a run of values, comes from memory once, stays
// in the first-level cache and serves them all. Every sum still runs in the order of coordinates, or of positions.
// Blocks of keys, and positions whose values, that stay there: 8 and 16 kB with the usual head of 64.
enum { NAME(key_run) = 2, NAME(value_run) = 64 };
// A tile is a few rows by a few blocks of sixteen keys, or of sixteen coordinates: what is loaded serves several sums.
enum { NAME(block_vectors) = TE_KEY_BLOCK / LANES };

// Scores of `rows` queries against `blocks` blocks of keys; scores[r·stride + position]. Where `fetch`, the same
// positions' values, needed after the scores, are fetched meanwhile: tiles read them a few coordinates at a time, which
// the processor does not foresee, as it does the keys.
INLINE void NAME(scores)(const float *queries, const float *keys, const float *values, const int rows,
                         const int blocks, const int fetch, long head_width, float *scores,
                         long stride) {
  vf sums[8][4];
  const int vectors = blocks * NAME(block_vectors);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[r][v] = (vf){0};
  }
  for (long d = 0; d < head_width; d++) {
    if (fetch) {
#pragma clang loop unroll(full)
      for (int b = 0; b < blocks; b++) {
        __builtin_prefetch(values + (b * head_width + d) * TE_KEY_BLOCK, 0, 2);
      }
    }
    vf key[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const long block = v / NAME(block_vectors), part = v % NAME(block_vectors);
      key[v] = LOAD(keys + (block * head_width + d) * TE_KEY_BLOCK + part * LANES);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const vf query = SPREAD(queries[r * head_width + d]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] = FMADD(query, key[v], sums[r][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) STORE(scores + r * stride + v * LANES, sums[r][v]);
  }
}

// Adds to sums[r·sums_stride …] `count` values weighted by `weights`, for `rows` rows and `blocks` blocks of coordinates.
INLINE void NAME(weighted)(const float *weights, long weight_stride, const float *values,
                           long value_stride, long count, const int rows, const int blocks,
                           float *out, long out_stride) {
  vf sums[8][4];
  const int vectors = blocks * NAME(block_vectors);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sums[r][v] = LOAD(out + r * out_stride + v * LANES);
  }
  for (long position = 0; position < count; position++) {
    vf value[4];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) value[v] = LOAD(values + position * value_stride + v * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const vf weight = SPREAD(weights[r * weight_stride + position]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] = FMADD(weight, value[v], sums[r][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) STORE(out + r * out_stride + v * LANES, sums[r][v]);
  }
}

// Scores and sums for tiles of so many rows: functions of their own, so that the compiler gives the registers of each to
// its sums. Both go on by whole tiles of blocks, then by single ones.
#define ATTENTION_TILE(size, tile, at_once)                                                        \
  __attribute__((noinline)) TARGET static void NAME(scores_##size)(                                \
      const float *queries, const float *keys, const float *values, long blocks, int fetch,        \
      long head_width, float *scores, long stride) {                                               \
    const long floats = head_width * TE_KEY_BLOCK;                                                 \
    for (; blocks >= at_once; blocks -= at_once) {                                                 \
      if (fetch) {                                                                                 \
        NAME(scores)(queries, keys, values, tile, at_once, 1, head_width, scores, stride);         \
      } else {                                                                                     \
        NAME(scores)(queries, keys, values, tile, at_once, 0, head_width, scores, stride);         \
      }                                                                                            \
      keys += at_once * floats;                                                                    \
      values += at_once * floats;                                                                  \
      scores += at_once * TE_KEY_BLOCK;                                                            \
    }                                                                                              \
    for (; blocks > 0; blocks--) {                                                                 \
      NAME(scores)(queries, keys, values, tile, 1, 0, head_width, scores, stride);                 \
      keys += floats;                                                                              \
      scores += TE_KEY_BLOCK;                                                                      \
    }                                                                                              \
  }                                                                                                \
  __attribute__((noinline)) TARGET static void NAME(weighted_##size)(                              \
      const float *weights, long weight_stride, const float *values, long value_stride, long count, \
      float *out) {                                                                                \
    long d = 0;                                                                                    \
    for (; d + at_once * TE_KEY_BLOCK <= value_stride; d += at_once * TE_KEY_BLOCK) {              \
      NAME(weighted)(weights, weight_stride, values + d, value_stride, count, tile, at_once,       \
                     out + d, value_stride);                                                       \
    }                                                                                              \
    for (; d < value_stride; d += TE_KEY_BLOCK) {                                                  \
      NAME(weighted)(weights, weight_stride, values + d, value_stride, count, tile, 1, out + d,    \
                     value_stride);                                                                \
    }                                                                                              \
  }
ATTENTION_TILE(single, 1, BLOCKS_1)
ATTENTION_TILE(few, 4, BLOCKS_4)
ATTENTION_TILE(many, MANY_QUERIES, BLOCKS_MANY)
#undef ATTENTION_TILE

// Runs `call(size)` over `count` rows in tiles as large as may be; `row` is a tile's first.
#define FOR_TILES(count, call)                                            \
  do {                                                                    \
    long row = 0;                                                         \
    for (; row + MANY_QUERIES <= (count); row += MANY_QUERIES) call(many); \
    for (; row + 4 <= (count); row += 4) call(few);                       \
    for (; row < (count); row++) call(single);                            \
  } while (0)

// The attention of up to TE_QUERY_BLOCK new positions, from `first` on among the job's rows.
TARGET static void NAME(attend_block)(const te_attention_job *job, long slot, long head, long first,
                                      long rows, const float *queries, const float *keys,
                                      const float *values, float *scores, float *sums) {
  const long width = job->head_width, model_width = job->heads * width;
  const long stride = (job->capacity + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  const long value_stride = (width + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  const int32_t *visible = job->visible + first;
  long furthest = 0;
  for (long r = 0; r < rows; r++) furthest = visible[r] > furthest ? visible[r] : furthest;
  const long blocks = (furthest + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK;
  // A single position reads keys and values once each, front to back.
  const long run = rows == 1 ? blocks : NAME(key_run);
  const int fetch = rows > 1;
  for (long block = 0; block < blocks; block += run) {
    const long count = block + run < blocks ? run : blocks - block;
    // These positions' values.
    const float *block_keys = keys + block * TE_KEY_BLOCK * width;
    const float *block_values = values + block * TE_KEY_BLOCK * value_stride;
#define SCORES(size)                                                                  \
  NAME(scores_##size)(queries + row * width, block_keys, block_values, count,         \
                      fetch && row == 0, width, scores + row * stride + block * TE_KEY_BLOCK, \
                      stride)
    FOR_TILES(rows, SCORES);
#undef SCORES
  }
  float scales[TE_QUERY_BLOCK];
  for (long r = 0; r < rows; r++) {
    float *weights = scores + r * stride;
    scales[r] = 1.0f / NAME(exponentials)(weights, visible[r]);
    for (long i = visible[r]; i < furthest; i++) weights[i] = 0;
  }
  memset(sums, 0, (size_t)(rows * value_stride) * sizeof(float));
  for (long position = 0; position < furthest; position += NAME(value_run)) {
    const long left = furthest - position;
    const long count = left < NAME(value_run) ? left : NAME(value_run);
#define WEIGHTED(size)                                                                          \
  NAME(weighted_##size)(scores + row * stride + position, stride, values + position * value_stride, \
                        value_stride, count, sums + row * value_stride)
    FOR_TILES(rows, WEIGHTED);
#undef WEIGHTED
  }
  for (long r = 0; r < rows; r++) {
    float *out = job->out + (slot * job->rows + first + r) * model_width + head * width;
    for (long i = 0; i < width; i++) out[i] = sums[r * value_stride + i] * scales[r];
  }
}
#undef FOR_TILES

// out = x with its pairs turned.
INLINE void NAME(turn)(const float *x, const float *cosines, const float *sines, long pairs,
                       float *out) {
  for (long i = 0; i < pairs; i++) {
    const float c = cosines[i], s = sines[i], even = x[2 * i], odd = x[2 * i + 1];
    out[2 * i] = even * c - odd * s;
    out[2 * i + 1] = odd * c + even * s;
  }
}

TARGET static void NAME(attend)(const te_attention_job *job, long slot, long head, float *scratch) {
  const long width = job->head_width, model_width = job->heads * width;
  const long value_stride = (width + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK * TE_KEY_BLOCK;
  const long head_index = slot * job->heads + head;
  float *keys = job->keys + head_index * te_key_floats(job->capacity, width);
  float *values = job->values + head_index * te_value_floats(job->capacity, width);
  // A row more than there are: the key on its way to the cache.
  float *queries = scratch, *turned = scratch + job->rows * width;
  float *sums = scratch + ((job->rows + 1) * width + 15) / 16 * 16;
  float *scores = sums + TE_QUERY_BLOCK * value_stride;
  const float scale = 1.0f / sqrtf((float)width);
  for (long row = 0; row < job->rows; row++) {
    const float *q = job->qkv + (slot * job->rows + row) * 3 * model_width + head * width;
    const float *k = q + model_width, *v = k + model_width;
    const float *cosines = job->cosines + row * (width / 2), *sines = job->sines + row * (width / 2);
    const long position = job->first + row;
    float *key = keys + position / TE_KEY_BLOCK * TE_KEY_BLOCK * width + position % TE_KEY_BLOCK;
    NAME(turn)(q, cosines, sines, width / 2, queries + row * width);
    for (long i = 0; i < width; i++) queries[row * width + i] *= scale;
    NAME(turn)(k, cosines, sines, width / 2, turned);
    for (long i = 0; i < width; i++) key[i * TE_KEY_BLOCK] = turned[i];
    memcpy(values + position * value_stride, v, (size_t)width * sizeof(float));
  }
  for (long row = 0; row < job->rows; row += TE_QUERY_BLOCK) {
    const long left = job->rows - row;
    NAME(attend_block)(job, slot, head, row, left < TE_QUERY_BLOCK ? left : TE_QUERY_BLOCK,
                       queries + row * width, keys, values, scores, sums);
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
    .gate = NAME(gate),
    .add = NAME(add),
    .rms_norm = NAME(rms_norm),
    .softmax = NAME(softmax),
    .attend = NAME(attend),
    .read_all = NAME(read_all),
};
