#include "hdf5_output.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// From 1.14 on what a driver needs has a header of its own.
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct {
  int descriptor;
  int *failure;
} output_settings;

typedef struct {
  H5FD_t public;  // first, as HDF5 asks
  output_settings settings;
  haddr_t eoa, eof;
} output_file;

static herr_t note(output_file *file, int code) {
  if (*file->settings.failure == 0) *file->settings.failure = code;
  return 0;
}

static H5FD_t *output_open(const char *name, unsigned flags, hid_t access, haddr_t maxaddr) {
  (void)name;
  (void)flags;
  (void)maxaddr;
  const output_settings *settings = H5Pget_driver_info(access);
  if (settings == NULL) return NULL;
  output_file *file = calloc(1, sizeof *file);
  if (file == NULL) return NULL;
  file->settings = *settings;
  return &file->public;
}

static herr_t output_close(H5FD_t *public) {
  free(public);
  return 0;
}

// The same as the library's own driver for files says, so that the bytes are the same.
static herr_t output_query(const H5FD_t *public, unsigned long *flags) {
  (void)public;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
#ifdef H5FD_FEAT_DEFAULT_VFD_COMPATIBLE
  *flags |= H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
#endif
  return 0;
}

static haddr_t output_get_eoa(const H5FD_t *public, H5FD_mem_t type) {
  (void)type;
  return ((const output_file *)public)->eoa;
}

static herr_t output_set_eoa(H5FD_t *public, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((output_file *)public)->eoa = address;
  return 0;
}

static haddr_t output_get_eof(const H5FD_t *public, H5FD_mem_t type) {
  (void)type;
  return ((const output_file *)public)->eof;
}

static herr_t output_read(H5FD_t *public, H5FD_mem_t type, hid_t transfer, haddr_t address,
                          size_t size, void *buffer) {
  (void)type;
  (void)transfer;
  output_file *file = (output_file *)public;
  char *place = buffer;
  while (size > 0) {
    ssize_t count = pread(file->settings.descriptor, place, size, (off_t)address);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) note(file, errno);
    if (count <= 0) break;
    place += count;
    size -= (size_t)count;
    address += (haddr_t)count;
  }
  // Behind the end, and where a write was dropped, there are zeros.
  memset(place, 0, size);
  return 0;
}

static herr_t output_write(H5FD_t *public, H5FD_mem_t type, hid_t transfer, haddr_t address,
                           size_t size, const void *buffer) {
  (void)type;
  (void)transfer;
  output_file *file = (output_file *)public;
  const char *place = buffer;
  haddr_t end = address + size;
  if (end > file->eof) file->eof = end;
  while (size > 0 && *file->settings.failure == 0) {
    // No system takes more than two gigabytes at once.
    size_t part = size < (1u << 30) ? size : (1u << 30);
    ssize_t count = pwrite(file->settings.descriptor, place, part, (off_t)address);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return note(file, count == 0 ? EIO : errno);
    place += count;
    size -= (size_t)count;
    address += (haddr_t)count;
  }
  return 0;
}

static herr_t output_truncate(H5FD_t *public, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  output_file *file = (output_file *)public;
  if (file->eoa == file->eof || *file->settings.failure != 0) return 0;
  while (ftruncate(file->settings.descriptor, (off_t)file->eoa) != 0)
    if (errno != EINTR) return note(file, errno);
  file->eof = file->eoa;
  return 0;
}

static const H5FD_class_t output_class = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    // Of the range that is nobody's.
    .value = (H5FD_class_value_t)510,
#endif
    .name = "token-output",
    // What an off_t can be.
    .maxaddr = ((haddr_t)1 << (8 * sizeof(off_t) - 1)) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(output_settings),
    .open = output_open,
    .close = output_close,
    .query = output_query,
    .get_eoa = output_get_eoa,
    .set_eoa = output_set_eoa,
    .get_eof = output_get_eof,
    .read = output_read,
    .write = output_write,
    .truncate = output_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int64_t token_output_access(int descriptor, int *failure) {
  // Registered once; the library's lock of the caller keeps others out.
  static hid_t driver = -1;
  if (driver < 0) driver = H5FDregister(&output_class);
  if (driver < 0) return -1;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return -1;
  output_settings settings = {descriptor, failure};
  if (H5Pset_driver(access, driver, &settings) < 0) {
    H5Pclose(access);
    return -1;
  }
  return access;
}
