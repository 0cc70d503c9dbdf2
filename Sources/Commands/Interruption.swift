import Dispatch
import Foundation
import Synchronization
import TokenData

/// Cleans up when the user stops a program, so that no half-written file stays behind.
enum Interruption {
  /// The sources live as long as the program.
  private static let sources = Mutex<[any DispatchSourceSignal]>([])

  /// From now on an interrupt or a request to end removes files that are being written, and then
  /// ends the program as the signal would have done.
  static func removeTemporaryFiles() {
    sources.withLock { sources in
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
          TemporaryFiles.shared.removeAll { end(by: number) }
        }
        source.resume()
        sources.append(source)
      }
    }
  }

  /// From now on the first interrupt or request to end only makes ``isStopWanted`` true, so that the program can end at
  /// a place of its own choice; a second one ends it at once.
  ///
  /// A plain handler, not a source of Dispatch: that starts to listen at some later moment, and what arrives before is lost.
  static func asksToStop() {
    stopWanted.store(false, ordering: .sequentiallyConsistent)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        Interruption.stopWanted.store(true, ordering: .sequentiallyConsistent)
        signal(number, SIG_DFL)
      }
      unblock(number)
    }
  }

  private static let stopWanted = Atomic<Bool>(false)

  /// Whether the user has asked the program to stop.
  static var isStopWanted: Bool { stopWanted.load(ordering: .sequentiallyConsistent) }

  /// Ends the program as a signal does that nobody handles.
  private static func end(by number: Int32) {
    signal(number, SIG_DFL)
    unblock(number)
    raise(number)
  }

  /// Lets a signal reach this thread: those of Dispatch block signals, and so do those that some programs start others
  /// from.
  private static func unblock(_ number: Int32) {
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, number)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
  }
}
