/* Tables of languages that no command asks for.

   A program with Swift's standard library inside would carry the 34 MB of ICU's data that Foundation's library is linked with:
   names of languages, currencies and calendars. Nothing here formats for a place or sorts by a language; text is Unicode's, by
   tables of Swift itself. The linker takes a library's object only for names that nobody has defined, so a table of contents
   without entries, under the name that ICU looks for, leaves it out; ICU then says "missing resource", as it does where
   its data is not installed. Where Foundation is a shared library the name is hidden from it, and nothing changes.

   The layout is that of ICU's `ucmndata.h`: a header, and the "ToCP" table of contents of version 1. */

#if defined(__linux__)

#include <stdint.h>

struct contents {
  uint16_t header_bytes;
  uint8_t magic[2];
  uint16_t info_bytes, reserved_word;
  uint8_t is_big_endian, charset_family, char_bytes, reserved_byte;
  uint8_t format[4], format_version[4], data_version[4];
  uint8_t padding[8];
  uint32_t entries, reserved;
};

#define CONTENTS(version)                                                             \
  __attribute__((visibility("hidden"), aligned(16)))                            \
  const struct contents icudt##version##_dat = {                                      \
      .header_bytes = 32, .magic = {0xda, 0x27}, .info_bytes = 20, .char_bytes = 2,   \
      .format = {0x54, 0x6f, 0x43, 0x50}, .format_version = {1, 0, 0, 0}}

/* Of the ICU that toolchains of Swift come with; the name has its version. */
CONTENTS(72);
CONTENTS(74);
CONTENTS(76);
CONTENTS(77);
CONTENTS(78);

#endif
