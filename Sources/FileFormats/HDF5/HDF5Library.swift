import CHDF5
import Foundation

/// The version of the HDF5 library in use, as in `1.10.8`.
public func hdf5LibraryVersion() -> String {
  HDF5.locked {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    H5get_libversion(&major, &minor, &release)
    return "\(major).\(minor).\(release)"
  }
}

/// The one door to the C library: a lock, because HDF5 is not thread-safe, and its error stack.
enum HDF5 {
  private static let lock = NSRecursiveLock()

  /// Runs `body` while no other thread is inside HDF5.
  @discardableResult
  static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    try lock.withLock {
      // The setting belongs to a thread where the library was built thread-safe, so it is
      // renewed each time; it costs nothing beside any call that touches a file.
      token_h5_silence()
      return try body()
    }
  }

  /// Passes a non-negative status or identifier on and throws for a negative one.
  ///
  /// - Parameter action: what was tried, as in `read /codes`.
  @discardableResult
  static func check<Status: SignedInteger>(_ status: Status, _ action: @autoclosure () -> String)
    throws -> Status
  {
    guard status >= 0 else {
      throw HDF5Failure(action: action(), reason: firstCause())
    }
    return status
  }

  /// The innermost message on the library's error stack: where the trouble began.
  static func firstCause() -> String? {
    final class Message { var text: String? }
    let message = Message()
    _ = token_h5_walk_errors(
      { _, error, context in
        guard let error, let context else { return 0 }
        let message = Unmanaged<Message>.fromOpaque(context).takeUnretainedValue()
        if message.text == nil, let text = error.pointee.desc {
          message.text = String(cString: text)
        }
        return 0
      }, Unmanaged.passUnretained(message).toOpaque())
    return withExtendedLifetime(message) { message.text }
  }
}

/// A call of the HDF5 library that failed, before it is told to the user with the file's name.
package struct HDF5Failure: Error, CustomStringConvertible {
  /// What was tried, as in `read /codes`.
  let action: String
  /// What the library says, where it says anything.
  let reason: String?

  package var description: String {
    "cannot \(action)" + (reason.map { ": HDF5 says \"\($0)\"" } ?? "")
  }
}

/// An identifier of an open HDF5 object, closed when the last reference to it goes.
package final class HDF5Handle: Sendable {
  /// The library's identifier.
  let id: hid_t
  private let close: @Sendable (hid_t) -> herr_t

  /// Takes over a fresh identifier.
  ///
  /// - Throws: ``HDF5Failure`` when the identifier is negative: the call that made it failed.
  init(_ id: hid_t, closing close: @escaping @Sendable (hid_t) -> herr_t, _ action: String) throws {
    self.id = try HDF5.check(id, action)
    self.close = close
  }

  deinit {
    HDF5.locked { _ = close(id) }
  }
}
