// Attention of new positions to a cache of keys and values. Included by kernels_template.h after
// elementwise_template.h, whose exponentials it takes.

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
