// AVX-512: thirty-two registers of sixteen floats.
#if defined(__x86_64__)
#define NAME(x) te_avx512_##x
#define KERNEL_NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define LANES 16
#define FMADD(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#define EVEN_OF_TWO 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_OF_TWO 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#define EVEN_MEMBERS 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_MEMBERS 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define OUTPUTS_1 6
#define OUTPUTS_2 6
#define OUTPUTS_3 6
#define OUTPUTS_4 6
#define BLOCK 6
#define PAIR_BLOCK 4
#define PAIR_OUTPUTS_4 4
#define BLOCKS_1 4
#define BLOCKS_4 2
#define MANY_QUERIES 8
#define BLOCKS_MANY 2

#include "kernels_template.h"
#include "training_template.h"
#endif
