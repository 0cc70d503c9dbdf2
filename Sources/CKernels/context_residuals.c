#include "context_residuals.h"

#include "residual_sums.h"

#if defined(__x86_64__)
#define TE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TE_CLONES
#endif

#define TE_SCALAR float
#define TE_SUFFIX f32
#include "context_residuals_template.h"
#undef TE_SCALAR
#undef TE_SUFFIX

#define TE_SCALAR double
#define TE_SUFFIX f64
#include "context_residuals_template.h"
#undef TE_SCALAR
#undef TE_SUFFIX
