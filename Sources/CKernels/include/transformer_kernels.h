#ifndef TOKEN_ENTROPY_TRANSFORMER_KERNELS_H
#define TOKEN_ENTROPY_TRANSFORMER_KERNELS_H

#include <stdint.h>

#include "worker_team.h"

// The parts of a transformer layer between its matrix products.

// out[r] = x[r] / sqrt(mean(x[r]²) + epsilon) ⊙ weight, for rows of `width` floats; out may not be x.
void te_rms_norm(te_team *team, const float *x, const float *weight, long rows, long width,
                 float epsilon, float *out);

// out[r] = (x[r] − mean) / sqrt(variance + epsilon) ⊙ weight + bias, for rows of `width` floats; out may be x.
void te_layer_norm(te_team *team, const float *x, const float *weight, const float *bias, long rows,
                   long width, float epsilon, float *out);

// x[r] += bias, and then, where `gelu` is not zero, the exact GELU x·Φ(x).
void te_add_bias(te_team *team, float *x, const float *bias, long rows, long width, int gelu);

// values = softmax(values), by one thread; `team`, which may be NULL, only says with which kernels.
void te_softmax(const te_team *team, float *values, long count);

// Positions are kept in blocks of this many keys, so that scores come out in whole vectors.
enum { TE_KEY_BLOCK = 16 };

// One layer's attention for `rows` new positions of each of `slots` sequences.
//
// Queries and keys are rotated, keys and values are put into the cache, and every new position attends to the first
// `visible` positions of its sequence.
typedef struct {
  // (slots · rows) × 3·heads·head_width: query, key, value, each head-major.
  const float *qkv;
  // rows × head_width/2: what the pairs (2i, 2i + 1) of queries and keys are turned by.
  const float *cosines, *sines;
  // For each new position, how many positions from the start it sees; at most first + rows.
  const int32_t *visible;
  // slots × heads × te_key_floats(capacity, head_width), zero where nothing has been written.
  float *keys;
  // slots × heads × te_value_floats(capacity, head_width), zero where nothing has been written.
  float *values;
  // (slots · rows) × heads·head_width.
  float *out;
  // te_attention_scratch floats.
  float *scratch;
  long slots, rows, heads, head_width;
  // The position of the first new row, and how many positions the cache has room for.
  long first, capacity;
} te_attention_job;

long te_key_floats(long capacity, long head_width);
long te_value_floats(long capacity, long head_width);
long te_attention_scratch(int workers, long rows, long capacity, long head_width);

void te_attention(te_team *team, const te_attention_job *job);

// dst[i] = src[i], exact.
void te_widen_bfloat16(const uint16_t *src, long count, float *dst);
void te_widen_float16(const uint16_t *src, long count, float *dst);
// dst[i] = src[i] rounded to nearest, ties to even.
void te_narrow_bfloat16(const float *src, long count, uint16_t *dst);

// The sum (exclusive or) of all bytes in words of 64 bits, at the speed of memory: what a bandwidth figure reads.
uint64_t te_read_all(te_team *team, const void *bytes, long count);

#endif
