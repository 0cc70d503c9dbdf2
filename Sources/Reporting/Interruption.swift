import Files
import Foundation
import Synchronization

/// Cleans up when the user stops a program, so that no half-written file stays behind.
package enum Interruption {
  /// The requests to end that are listened to.
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// The pipe that wakes the thread that cleans up; negative before that is needed.
  private static let wakingEnd = Atomic<Int32>(-1)
  private static let isPolite = Atomic<Bool>(false)
  private static let lastSignal = Atomic<Int32>(0)
  private static let isListening = Mutex<Bool>(false)

  /// From now on an interrupt or a request to end removes files that are being written, and then
  /// ends the program as the signal would have done.
  package static func removeTemporaryFiles() {
    isPolite.store(false, ordering: .sequentiallyConsistent)
    listen()
  }

  /// From now on the first interrupt or request to end only makes ``isStopWanted`` true, so that the program can end at
  /// a place of its own choice; a second one ends it at once, as after ``removeTemporaryFiles()``.
  package static func asksToStop() {
    lastSignal.store(0, ordering: .sequentiallyConsistent)
    isPolite.store(true, ordering: .sequentiallyConsistent)
    listen()
  }

  /// Whether the user has asked the program to stop.
  package static var isStopWanted: Bool { lastSignal.load(ordering: .sequentiallyConsistent) != 0 }

  /// The exit status of a program that has stopped when it was asked to: 128 and the number of the signal, as a shell
  /// says of one that the signal ended. Without a signal it is that of an interrupt.
  package static var exitStatus: Int32 {
    let number = lastSignal.load(ordering: .sequentiallyConsistent)
    return 128 + (number == 0 ? SIGINT : number)
  }

  /// Installs the handlers, once.
  ///
  /// Plain handlers, not sources of Dispatch: those start to listen at some later moment, and what arrives before is
  /// lost. A handler may do next to nothing, so a thread that waits at a pipe removes the files.
  private static func listen() {
    isListening.withLock { isListening in
      guard !isListening else { return }
      isListening = true
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { return }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      wakingEnd.store(ends[1], ordering: .sequentiallyConsistent)
      let readingEnd = ends[0]
      Thread.detachNewThread { waitAndEnd(at: readingEnd) }
      for number in signals {
        let earlier = signal(number) { Interruption.handle($0) }
        // Whoever started this, as nohup does, wants it to go on.
        if isIgnored(earlier) { signal(number, SIG_IGN) } else { unblock(number) }
      }
    }
  }

  private static func handle(_ number: Int32) {
    let earlier = lastSignal.exchange(number, ordering: .sequentiallyConsistent)
    if isPolite.load(ordering: .sequentiallyConsistent), earlier == 0 { return }
    let code = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(wakingEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = code
  }

  private static func waitAndEnd(at readingEnd: Int32) {
    var byte: UInt8 = 0
    while read(readingEnd, &byte, 1) != 1 {}
    TemporaryFiles.shared.removeAll { end(by: Int32(byte)) }
  }

  /// Whether what handled a signal is nothing: it was ignored.
  package static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Ends the program as a signal does that nobody handles.
  package static func end(by number: Int32) {
    signal(number, SIG_DFL)
    unblock(number)
    raise(number)
  }

  /// Lets a signal reach this thread: some programs block signals and start others from there.
  private static func unblock(_ number: Int32) {
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, number)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
  }
}
