#ifndef TOKEN_ENTROPY_CTURBOJPEG_SHIM_H
#define TOKEN_ENTROPY_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

#endif
