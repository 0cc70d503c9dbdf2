#ifndef TOKEN_ENTROPY_COPENBLAS_SHIM_H
#define TOKEN_ENTROPY_COPENBLAS_SHIM_H

// Swift cannot import C's _Complex, which LAPACKE's prototypes use unless told otherwise.
#define LAPACK_COMPLEX_CUSTOM
typedef struct { float real, imaginary; } token_entropy_complex_float;
typedef struct { double real, imaginary; } token_entropy_complex_double;
#define lapack_complex_float token_entropy_complex_float
#define lapack_complex_double token_entropy_complex_double

#include <cblas.h>
#include <lapacke.h>

#endif
