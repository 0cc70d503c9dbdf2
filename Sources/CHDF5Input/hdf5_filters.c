#include "hdf5_filters.h"

#include <string.h>
#include <zlib.h>

ptrdiff_t token_inflate(const uint8_t *source, size_t count, uint8_t *target, size_t room) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (inflateInit(&stream) != Z_OK) return -1;
  size_t read = 0, made = 0;
  int status = Z_OK;
  // zlib counts in 32 bits.
  const size_t most = 1u << 30;
  while (status == Z_OK) {
    size_t in = count - read < most ? count - read : most;
    size_t out = room - made < most ? room - made : most;
    stream.next_in = (Bytef *)(source + read);
    stream.avail_in = (uInt)in;
    stream.next_out = target + made;
    stream.avail_out = (uInt)out;
    status = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    made += out - stream.avail_out;
    // No progress: the stream ends too early, or makes more than there is room for.
    if (status == Z_OK && in == stream.avail_in && out == stream.avail_out) break;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END ? (ptrdiff_t)made : -1;
}

ptrdiff_t token_lzf(const uint8_t *source, size_t count, uint8_t *target, size_t room) {
  size_t read = 0, made = 0;
  while (read < count) {
    unsigned control = source[read++];
    if (control < 32) {  // That many bytes and one, as they are.
      size_t length = control + 1;
      if (length > count - read || length > room - made) return -1;
      memcpy(target + made, source + read, length);
      read += length;
      made += length;
      continue;
    }
    // What was made some bytes ago, once more.
    size_t length = control >> 5;
    if (length == 7) {
      if (read == count) return -1;
      length += source[read++];
    }
    if (read == count) return -1;
    size_t back = ((size_t)(control & 31) << 8) + source[read++] + 1;
    length += 2;
    if (back > made || length > room - made) return -1;
    // Byte by byte: the two may overlap.
    for (size_t i = 0; i < length; i++, made++) target[made] = target[made - back];
  }
  return (ptrdiff_t)made;
}

void token_unshuffle(const uint8_t *source, uint8_t *target, size_t count, size_t width) {
  size_t elements = width > 0 ? count / width : 0;
  for (size_t byte = 0; byte < width; byte++)
    for (size_t i = 0; i < elements; i++) target[i * width + byte] = source[byte * elements + i];
  size_t done = elements * width;
  memcpy(target + done, source + done, count - done);
}

uint32_t token_fletcher32(const uint8_t *source, size_t count) {
  uint32_t low = 0, high = 0;
  size_t words = count / 2;
  while (words > 0) {
    // So many that the sums cannot overflow.
    size_t some = words < 360 ? words : 360;
    words -= some;
    for (; some > 0; some--, source += 2) {
      low += (uint32_t)source[0] << 8 | source[1];
      high += low;
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
  }
  if (count % 2 == 1) {
    low += (uint32_t)source[0] << 8;
    high += low;
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
  }
  low = (low & 0xffff) + (low >> 16);
  high = (high & 0xffff) + (high >> 16);
  return high << 16 | low;
}
