// Hot loops that need C live in this target.
#ifndef TOKEN_ENTROPY_CKERNELS_H
#define TOKEN_ENTROPY_CKERNELS_H

#include "context_residuals.h"
#include "convolution.h"
#include "nearest.h"
#include "pair_residuals.h"
#include "residual_sums.h"
#include "scatter.h"
#include "weight_product.h"
#include "training_kernels.h"
#include "transformer_kernels.h"
#include "worker_team.h"

#endif
