import CHDF5

/// A number that HDF5 can read into memory and write from it.
package protocol HDF5Number: BitwiseCopyable {
  /// HDF5's name for the type in memory.
  static var nativeType: hid_t { get }
}

extension UInt16: HDF5Number { package static var nativeType: hid_t { token_h5_native_uint16() } }
extension UInt32: HDF5Number { package static var nativeType: hid_t { token_h5_native_uint32() } }
extension UInt64: HDF5Number { package static var nativeType: hid_t { token_h5_native_uint64() } }
extension Int64: HDF5Number { package static var nativeType: hid_t { token_h5_native_int64() } }
extension Float: HDF5Number { package static var nativeType: hid_t { token_h5_native_float() } }
extension Double: HDF5Number { package static var nativeType: hid_t { token_h5_native_double() } }
