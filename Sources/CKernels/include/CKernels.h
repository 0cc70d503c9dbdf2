#ifndef TOKEN_ENTROPY_CKERNELS_H
#define TOKEN_ENTROPY_CKERNELS_H

#include "nearest.h"
#include "scatter.h"

#endif
