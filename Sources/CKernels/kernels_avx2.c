// AVX2 with fused multiply-add: sixteen registers of eight floats.
#if defined(__x86_64__)
#define NAME(x) te_avx2_##x
#define KERNEL_NAME "avx2"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define FMADD(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#define OUTPUTS_1 6
#define OUTPUTS_2 4
#define OUTPUTS_3 3
#define OUTPUTS_4 3

#include "kernels_template.h"
#endif
