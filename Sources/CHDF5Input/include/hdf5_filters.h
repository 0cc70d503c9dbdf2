#ifndef TOKEN_ENTROPY_HDF5_FILTERS_H
#define TOKEN_ENTROPY_HDF5_FILTERS_H

#include <stddef.h>
#include <stdint.h>

// The inverse of the filters that a piece of an HDF5 dataset may have passed. They write no byte beyond what they are
// told, whatever the piece holds: it comes from a file.

// Inflates a zlib stream; the number of bytes it makes, or -1 where it is damaged or makes more than there is room for.
ptrdiff_t token_inflate(const uint8_t *source, size_t count, uint8_t *target, size_t room);

// Expands what LZF compressed, as h5py does; the number of bytes, or -1 as above.
ptrdiff_t token_lzf(const uint8_t *source, size_t count, uint8_t *target, size_t room);

// Puts the bytes of each element together again, of which all first ones are stored first; what is left over stays.
void token_unshuffle(const uint8_t *source, uint8_t *target, size_t count, size_t width);

// HDF5's Fletcher checksum of 16-bit words.
uint32_t token_fletcher32(const uint8_t *source, size_t count);

#endif
