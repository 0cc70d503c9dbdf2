import COpenBLAS
import Synchronization

/// The BLAS library that was loaded: its kernels and its threads.
public enum BLAS {
  /// The processor whose kernels OpenBLAS chose as it loaded, such as `Zen` or `SkylakeX`.
  public static var coreName: String { String(cString: openblas_get_corename()) }

  /// The library and its version, such as `OpenBLAS 0.3.21`.
  public static var libraryName: String {
    // The first words of a line that goes on with the options it was built with.
    String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(separator: " ")
  }

  /// How many threads a BLAS call may use.
  public static var threads: Int {
    get { Int(openblas_get_num_threads()) }
    set { openblas_set_num_threads(Int32(clamping: newValue)) }
  }

  /// Runs `body` while BLAS keeps to the thread that calls it, as inside a parallel loop.
  ///
  /// The setting belongs to the whole process; another thread's BLAS calls keep to one thread too, until the last of
  /// those that asked for it is done.
  public static func onCallingThread<Result>(_ body: () throws -> Result) rethrows -> Result {
    callers.withLock { callers in
      if callers.count == 0 {
        callers.threads = threads
        threads = 1
      }
      callers.count += 1
    }
    defer {
      callers.withLock { callers in
        callers.count -= 1
        if callers.count == 0 { threads = callers.threads }
      }
    }
    return try body()
  }

  /// How many callers of `onCallingThread` are at work, and how many threads there were before the first.
  private static let callers = Mutex((count: 0, threads: 1))
}
