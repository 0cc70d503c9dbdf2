import Foundation

/// A call of the system that failed.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The number that `errno` had.
  public let code: Int32

  /// Takes the number of an error.
  public init(code: Int32) { self.code = code }

  /// The error of the call that failed last.
  static var last: SystemError { SystemError(code: errno) }

  /// The system's words, as in `Permission denied`.
  public var description: String { String(cString: strerror(code)) }
}

/// Writes every byte to an open descriptor, or says why that is impossible.
///
/// The one place where this project writes: a call that is interrupted is repeated, one that takes a part is followed by
/// another for the rest, and one that would have to wait is waited for.
///
/// - Throws: ``SystemError``; some of the bytes may have been written.
/// - Complexity: O(bytes).
public func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32
) throws(SystemError) {
  var rest = bytes
  while !rest.isEmpty {
    // No system takes more than two gigabytes at once.
    let count = write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
    if count > 0 {
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      continue
    }
    let code = count == 0 ? EIO : errno
    if code == EINTR { continue }
    guard code == EAGAIN || code == EWOULDBLOCK else { throw SystemError(code: code) }
    var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&waited, 1, -1)
  }
}

/// Writes every byte of a text, as ``writeAll(_:to:)-(UnsafeRawBufferPointer,_)`` does.
public func writeAll(_ text: String, to descriptor: Int32) throws(SystemError) {
  try writeAll(Data(text.utf8), to: descriptor)
}

/// Writes every byte of some data, as ``writeAll(_:to:)-(UnsafeRawBufferPointer,_)`` does.
public func writeAll(_ data: Data, to descriptor: Int32) throws(SystemError) {
  // A closure of Foundation forgets the type of what it throws.
  let failure: SystemError? = data.withUnsafeBytes { bytes in
    do throws(SystemError) { try writeAll(bytes, to: descriptor) } catch { return error }
    return nil
  }
  if let failure { throw failure }
}
