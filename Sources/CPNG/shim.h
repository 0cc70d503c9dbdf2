#ifndef TOKEN_ENTROPY_CPNG_SHIM_H
#define TOKEN_ENTROPY_CPNG_SHIM_H

#include <png.h>
#include <string.h>

// The version and the formats are macros of libpng, which Swift imports only in part.
static inline png_image token_png_image(void) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  return image;
}
static inline png_uint_32 token_png_rgb(void) { return PNG_FORMAT_RGB; }

#endif
