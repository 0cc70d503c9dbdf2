// AVX-512: thirty-two registers of sixteen floats.
#if defined(__x86_64__)
#define NAME(x) te_avx512_##x
#define KERNEL_NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define LANES 16
#define FMADD(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#define OUTPUTS_1 6
#define OUTPUTS_2 6
#define OUTPUTS_3 6
#define OUTPUTS_4 6

#include "kernels_template.h"
#endif
