// Products of weights with few rows of activations, and the packing of these. Included by kernels_template.h.

// Up to four rows use every weight as it comes from memory. With more, the columns are taken in chunks: the tiles of a block
// of outputs follow each other through one chunk, and all rows use a tile's weights while these are in the first-level
// cache. Between chunks the vectors of partial sums are kept, so that the sums come out the same as in one go.
// With many rows, chunks of Float32 weights twice as long are worth the room that they take in the first-level cache.
enum { NAME(row_tile) = 64, NAME(chunk_bytes) = 2048, NAME(few_chunk_rows) = 16 };
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
  const long chunk = (!bf16 && rows > NAME(few_chunk_rows) ? 2 : 1) * NAME(chunk_bytes) / size, block_outputs = bf16 ? PAIR_BLOCK : BLOCK;
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
