#ifndef TOKEN_ENTROPY_KERNELS_INTERNAL_H
#define TOKEN_ENTROPY_KERNELS_INTERNAL_H

#include "weight_product.h"
#include "transformer_kernels.h"

// How many new positions attention takes together.
enum { TE_QUERY_BLOCK = 16 };

// One instruction set's version of every kernel; see kernels_template.h.
typedef struct {
  const char *name;
  // Writes the columns start ≤ k < end of x, rows × inputs, in the order the products with this precision read them;
  // `start` is a multiple of 32, and so is `end` unless it is `inputs`.
  void (*pack)(te_precision precision, const float *x, long rows, long inputs, long start, long end,
               float *out);
  // out[r·stride + j − first] = x[r]·W[j] for the outputs first ≤ j < last, x packed.
  void (*products)(const te_weights *weights, const float *x, long rows, long first, long last,
                   float *out, long stride);
  // a = silu(a) ⊙ b.
  void (*gate)(float *a, const float *b, long count);
  void (*add)(float *a, const float *b, long count);
  void (*rms_norm)(const float *x, const float *weight, long width, float epsilon, float *out);
  void (*layer_norm)(const float *x, const float *weight, const float *bias, long width,
                     float epsilon, float *out);
  void (*add_bias)(float *x, const float *bias, long width);
  void (*bias_gelu)(float *x, const float *bias, long width);
  void (*softmax)(float *values, long count);
  void (*attend)(const te_attention_job *job, long slot, long head, float *scratch);
  uint64_t (*read_all)(const void *bytes, long count);
} te_kernels;

extern const te_kernels te_portable_kernels;
#if defined(__x86_64__)
extern const te_kernels te_avx2_kernels, te_avx512_kernels;
#endif

// The kernels for this processor, chosen as the library loads.
extern const te_kernels *te_chosen_kernels;

// The kernels that a team computes with: those chosen, until others are set.
const te_kernels *te_team_kernels(const te_team *team);
void te_team_set_kernels(te_team *team, const te_kernels *kernels);

#endif
