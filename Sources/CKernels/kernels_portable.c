// Vectors of four floats, which every processor this package is built for has.
#define NAME(x) te_portable_##x
#define KERNEL_NAME "portable"
#define TARGET
#define LANES 4
#define FMADD(a, b, c) ((a) * (b) + (c))
#define EVEN_OF_TWO 0, 2, 4, 6
#define ODD_OF_TWO 1, 3, 5, 7
#define EVEN_MEMBERS 0, 2, 4, 6
#define ODD_MEMBERS 1, 3, 5, 7
#define OUTPUTS_1 6
#define OUTPUTS_2 4
#define OUTPUTS_3 3
#define OUTPUTS_4 3
#define BLOCK 6
#define PAIR_BLOCK 6
#define PAIR_OUTPUTS_4 3
#define BLOCKS_1 1
#define BLOCKS_4 1
#define MANY_QUERIES 4
#define BLOCKS_MANY 1

#include "kernels_template.h"
#include "training_template.h"
