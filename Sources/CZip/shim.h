#ifndef TOKEN_ENTROPY_CZIP_SHIM_H
#define TOKEN_ENTROPY_CZIP_SHIM_H

#include <zip.h>

// Macros with casts do not import.
static const zip_flags_t token_zip_utf8 = ZIP_FL_ENC_UTF_8;

#endif
