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
  /// a place of its own choice; a second one ends it as ``removeTemporaryFiles()`` does.
  static func asksToStop() {
    sources.withLock { sources in
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
          let isSecond = stopWanted.withLock { wanted in
            defer { wanted = true }
            return wanted
          }
          if isSecond { TemporaryFiles.shared.removeAll { end(by: number) } }
        }
        source.resume()
        sources.append(source)
      }
    }
  }

  private static let stopWanted = Mutex(false)

  /// Whether the user has asked the program to stop.
  static var isStopWanted: Bool { stopWanted.withLock { $0 } }

  /// Ends the program as a signal does that nobody handles.
  private static func end(by number: Int32) {
    signal(number, SIG_DFL)
    // The threads of Dispatch block signals, and so do those that some programs start others from.
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, number)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
    raise(number)
  }
}
