import Foundation

/// An open file that the HDF5 library writes, and whether it could.
///
/// The library itself does not learn that the disk is full: 1.10 ends in a segmentation fault when it closes a file
/// whose metadata it could not write. A driver of the project's own (`CHDF5Output`) keeps the first error, drops what is
/// written after it, and lets the library close the file in peace. A file image in memory would be as sound, but a
/// million images need not fit in memory.
///
/// Not safe to use from several threads at once.
package final class HDF5Output {
  /// The file, which must stay open as long as this.
  let descriptor: Int32
  /// Where the driver stores the first error; outlives the HDF5 file.
  let failure: UnsafeMutablePointer<Int32>

  package init(descriptor: Int32) {
    self.descriptor = descriptor
    failure = .allocate(capacity: 1)
    failure.initialize(to: 0)
  }

  deinit { failure.deallocate() }

  /// What the system said of the first write that failed, as in `No space left on device`; nil where none has.
  package var reason: String? {
    failure.pointee == 0 ? nil : String(cString: strerror(failure.pointee))
  }
}
