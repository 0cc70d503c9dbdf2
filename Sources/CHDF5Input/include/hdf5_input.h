#ifndef TOKEN_ENTROPY_HDF5_INPUT_H
#define TOKEN_ENTROPY_HDF5_INPUT_H

#include <stdint.h>

// A list of file access properties for H5Fopen, or a negative number: files are read by the plainest of drivers.
//
// The library's own driver has small reads gathered in a buffer, whose code in HDF5 1.10 copies to address 0 where a
// damaged file asks for more memory than there is; and what lies behind the end of a file it reads as zeros, where here it
// is an error.
int64_t token_input_access(void);

#endif
