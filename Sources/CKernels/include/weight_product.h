#ifndef TOKEN_ENTROPY_WEIGHT_PRODUCT_H
#define TOKEN_ENTROPY_WEIGHT_PRODUCT_H

#include <stddef.h>

#include "worker_team.h"

// Products of a large weight matrix with few rows of activations, limited by how fast the weights can be read.

// How the elements of a weight matrix are stored.
typedef enum { TE_FLOAT32 = 0, TE_BFLOAT16 = 1 } te_precision;

// A weight matrix: `outputs` rows of `inputs` elements, row-major.
typedef struct {
  const void *elements;
  te_precision precision;
  long outputs;
  long inputs;
} te_weights;

// Floats of scratch memory, 64-byte aligned, that a product with `rows` rows of `inputs` floats needs on a team of `workers`.
long te_weight_product_scratch(int workers, long rows, long inputs);

// y = x·Wᵀ, or y += x·Wᵀ when `accumulate`: x is rows × inputs, y is rows × outputs.
//
// Every element of y is summed in an order that depends on `inputs` and the precision alone, so that a row's result does
// not depend on the rows beside it nor on the number of workers.
void te_weight_product(te_team *team, te_weights weights, const float *x, long rows, float *y,
                        int accumulate, float *scratch);

// y = silu(x·Aᵀ) ⊙ (x·Bᵀ), the gated half of a SwiGLU layer, with A and B of the same shape and precision.
void te_gated_weight_product(te_team *team, te_weights a, te_weights b, const float *x, long rows, float *y,
                     float *scratch);

// The kernels chosen for this processor: "avx512", "avx2" or "portable".
const char *te_kernel_name(void);

// The instruction sets that there are kernels for.
typedef enum { TE_PORTABLE = 0, TE_AVX2 = 1, TE_AVX512 = 2 } te_instructions;

// Makes a team compute with these kernels instead of those chosen; returns 0 where this processor cannot run them.
int te_team_use(te_team *team, te_instructions instructions);

#endif
