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
static inline png_uint_32 token_png_rgba(void) { return PNG_FORMAT_RGBA; }
static inline int token_png_has_alpha(const png_image *image) {
  return (image->format & PNG_FORMAT_FLAG_ALPHA) != 0;
}
// Without it the library takes 16-bit images that name no gamma for linear light.
static inline void token_png_assume_srgb(png_image *image) {
  image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
}

#endif
