#ifndef TOKEN_ENTROPY_HDF5_OUTPUT_H
#define TOKEN_ENTROPY_HDF5_OUTPUT_H

#include <stdint.h>

// A list of file access properties for H5Fcreate, or a negative number: the file is the open
// descriptor, whatever name is given, and stays open when HDF5 closes it.
//
// The first error of the system is stored in *failure, which must be 0 before and outlive the file;
// from then on the file takes everything and keeps nothing. HDF5 1.10 ends in a segmentation fault
// when it closes a file whose metadata it could not write, so it must not learn of a full disk: the
// caller asks for it here.
int64_t token_output_access(int descriptor, int *failure);

#endif
