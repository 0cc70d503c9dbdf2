#ifndef TOKEN_ENTROPY_CHDF5_SHIM_H
#define TOKEN_ENTROPY_CHDF5_SHIM_H

#include <hdf5.h>

// These are macros around function calls or casts, which Swift does not import.
static inline hid_t token_h5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t token_h5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t token_h5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline haddr_t token_h5_no_address(void) { return HADDR_UNDEF; }
static inline H5Z_filter_t token_h5_deflate(void) { return H5Z_FILTER_DEFLATE; }
static inline H5Z_filter_t token_h5_shuffle(void) { return H5Z_FILTER_SHUFFLE; }
static inline H5Z_filter_t token_h5_fletcher32(void) { return H5Z_FILTER_FLETCHER32; }
// Where an object's header lies in its file.
static inline haddr_t token_h5_header_address(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  haddr_t address = HADDR_UNDEF;
  if (H5Oget_info3(object, &info, H5O_INFO_BASIC) < 0) return HADDR_UNDEF;
  return H5VLnative_token_to_addr(object, info.token, &address) < 0 ? HADDR_UNDEF : address;
#else
  H5O_info_t info;
  return H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0 ? HADDR_UNDEF : info.addr;
#endif
}
// The same of what a name leads to in the file of a group, which is not read for it.
static inline haddr_t token_h5_member_address(hid_t group, const char *name) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t own, info;
  haddr_t address = HADDR_UNDEF;
  if (H5Oget_info3(group, &own, H5O_INFO_BASIC) < 0 ||
      H5Oget_info_by_name3(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
      info.fileno != own.fileno)
    return HADDR_UNDEF;
  return H5VLnative_token_to_addr(group, info.token, &address) < 0 ? HADDR_UNDEF : address;
#else
  H5O_info_t own, info;
  if (H5Oget_info2(group, &own, H5O_INFO_BASIC) < 0 ||
      H5Oget_info_by_name2(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return HADDR_UNDEF;
  return info.fileno == own.fileno ? info.addr : HADDR_UNDEF;
#endif
}
// 1 where a member is a link to another file, and the bytes that say to which; 0 for other members.
static inline int token_h5_external_link(hid_t group, const char *name, size_t *size) {
#if H5_VERSION_GE(1, 12, 0)
  H5L_info2_t info;
  if (H5Lget_info2(group, name, &info, H5P_DEFAULT) < 0) return -1;
#else
  H5L_info_t info;
  if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) return -1;
#endif
  *size = info.u.val_size;
  return info.type == H5L_TYPE_EXTERNAL;
}
static inline unsigned token_h5_leaves_edges_unfiltered(void) {
  return H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS;
}
static inline hid_t token_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t token_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t token_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t token_h5_c_string(void) { return H5T_C_S1; }
static inline hid_t token_h5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t token_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline unsigned token_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned token_h5_truncate(void) { return H5F_ACC_TRUNC; }
static inline hid_t token_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t token_h5_all(void) { return H5S_ALL; }
static inline hsize_t token_h5_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t token_h5_variable(void) { return H5T_VARIABLE; }

// Errors become Swift errors; the library's own print-out of its error stack is turned off.
static inline void token_h5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

static inline herr_t token_h5_walk_errors(H5E_walk2_t visit, void *context) {
  return H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, context);
}

#endif
