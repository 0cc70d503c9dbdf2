// AVX2 with fused multiply-add: sixteen registers of eight floats.
#if defined(__x86_64__)
#define NAME(x) te_avx2_##x
#define KERNEL_NAME "avx2"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define FMADD(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#define EVEN_OF_TWO 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_OF_TWO 1, 3, 9, 11, 5, 7, 13, 15
#define EVEN_MEMBERS 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_MEMBERS 1, 3, 5, 7, 9, 11, 13, 15
#define OUTPUTS_1 6
#define OUTPUTS_2 4
#define OUTPUTS_3 3
#define OUTPUTS_4 3
#define BLOCK 6
#define PAIR_BLOCK 6
#define PAIR_OUTPUTS_4 3
#define BLOCKS_1 2
#define BLOCKS_4 1
#define MANY_QUERIES 6
#define BLOCKS_MANY 1

#include "kernels_template.h"
#include "training_template.h"
#endif
