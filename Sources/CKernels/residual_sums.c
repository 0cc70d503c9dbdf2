#include "residual_sums.h"

#include <string.h>

// Channels up to this many may have a kernel of their own.
#define TE_FIXED_LIMIT 16

#if defined(__x86_64__)
#define TE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TE_CLONES
#endif

#define TE_SCALAR float
#define TE_SUFFIX f32
#include "residual_sums_template.h"
#undef TE_SCALAR
#undef TE_SUFFIX

#define TE_SCALAR double
#define TE_SUFFIX f64
#include "residual_sums_template.h"
#undef TE_SCALAR
#undef TE_SUFFIX

void te_run_sums(
    size_t images, const double *x, const unsigned char *starts, double shift, double *sums) {
  double sum = 0, squares = 0, run_sum = sums[6], run_size = sums[7];
  for (size_t i = 0; i < images; i++) {
    double value = x[i] - shift;
    sum += value;
    squares += value * value;
    if (starts[i] && run_size > 0) {
      sums[2] += 1;
      sums[3] += run_sum * run_sum;
      sums[4] += run_sum * run_size;
      sums[5] += run_size * run_size;
      run_sum = run_size = 0;
    }
    run_sum += value;
    run_size += 1;
  }
  sums[0] += sum;
  sums[1] += squares;
  sums[6] = run_sum;
  sums[7] = run_size;
}
