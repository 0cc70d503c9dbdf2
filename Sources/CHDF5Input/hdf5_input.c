#include "hdf5_input.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// From 1.14 on what a driver needs has a header of its own.
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct {
  H5FD_t public;  // first, as HDF5 asks
  int descriptor;
  dev_t device;
  ino_t inode;
  haddr_t eoa, eof;
} input_file;

static H5FD_t *input_open(const char *name, unsigned flags, hid_t access, haddr_t maxaddr) {
  (void)access;
  (void)maxaddr;
  if (flags & H5F_ACC_RDWR) return NULL;
  int descriptor = open(name, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return NULL;
  struct stat status;
  input_file *file = calloc(1, sizeof *file);
  if (file == NULL || fstat(descriptor, &status) != 0) {
    close(descriptor);
    free(file);
    return NULL;
  }
  file->descriptor = descriptor;
  file->device = status.st_dev;
  file->inode = status.st_ino;
  file->eof = (haddr_t)status.st_size;
  return &file->public;
}

static herr_t input_close(H5FD_t *public) {
  close(((input_file *)public)->descriptor);
  free(public);
  return 0;
}

static int input_compare(const H5FD_t *first, const H5FD_t *second) {
  const input_file *a = (const input_file *)first, *b = (const input_file *)second;
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  if (a->inode != b->inode) return a->inode < b->inode ? -1 : 1;
  return 0;
}

static herr_t input_query(const H5FD_t *public, unsigned long *flags) {
  (void)public;
  *flags = 0;
#ifdef H5FD_FEAT_DEFAULT_VFD_COMPATIBLE
  *flags |= H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
#endif
  return 0;
}

static haddr_t input_get_eoa(const H5FD_t *public, H5FD_mem_t type) {
  (void)type;
  return ((const input_file *)public)->eoa;
}

static herr_t input_set_eoa(H5FD_t *public, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((input_file *)public)->eoa = address;
  return 0;
}

static haddr_t input_get_eof(const H5FD_t *public, H5FD_mem_t type) {
  (void)type;
  return ((const input_file *)public)->eof;
}

static herr_t input_read(H5FD_t *public, H5FD_mem_t type, hid_t transfer, haddr_t address,
                         size_t size, void *buffer) {
  (void)type;
  (void)transfer;
  input_file *file = (input_file *)public;
  char *place = buffer;
  if (address > file->eof || size > file->eof - address) return -1;
  while (size > 0) {
    // No system gives more than two gigabytes at once.
    size_t part = size < (1u << 30) ? size : (1u << 30);
    ssize_t count = pread(file->descriptor, place, part, (off_t)address);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    place += count;
    size -= (size_t)count;
    address += (haddr_t)count;
  }
  return 0;
}

static herr_t input_write(H5FD_t *public, H5FD_mem_t type, hid_t transfer, haddr_t address,
                          size_t size, const void *buffer) {
  (void)public;
  (void)type;
  (void)transfer;
  (void)address;
  (void)size;
  (void)buffer;
  return -1;
}

static const H5FD_class_t input_class = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    // Of the range that is nobody's.
    .value = (H5FD_class_value_t)511,
#endif
    .name = "token-input",
    // What an off_t can be.
    .maxaddr = ((haddr_t)1 << (8 * sizeof(off_t) - 1)) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .open = input_open,
    .close = input_close,
    .cmp = input_compare,
    .query = input_query,
    .get_eoa = input_get_eoa,
    .set_eoa = input_set_eoa,
    .get_eof = input_get_eof,
    .read = input_read,
    .write = input_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int64_t token_input_access(void) {
  // Registered once; the library's lock of the caller keeps others out.
  static hid_t driver = -1;
  if (driver < 0) driver = H5FDregister(&input_class);
  if (driver < 0) return -1;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return -1;
  if (H5Pset_driver(access, driver, NULL) < 0) {
    H5Pclose(access);
    return -1;
  }
  return access;
}
