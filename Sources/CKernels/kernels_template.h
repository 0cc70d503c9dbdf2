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

#include "vectors_template.h"
#include "products_template.h"
#include "elementwise_template.h"
#include "attention_template.h"

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
    .layer_norm = NAME(layer_norm),
    .add_bias = NAME(add_bias),
    .bias_gelu = NAME(bias_gelu),
    .softmax = NAME(softmax),
    .attend = NAME(attend),
    .read_all = NAME(read_all),
};
