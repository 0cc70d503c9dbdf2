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
  public static func onCallingThread<Result>(_ body: () throws -> Result) rethrows -> Result {
    try withThreads(1, body)
  }

  /// Runs `body` while BLAS has so many threads at the most.
  ///
  /// The setting belongs to the whole process: of those who ask at the same time, who asks for the fewest is heeded, and
  /// when the last is done all is as it was before the first.
  public static func withThreads<Result>(
    _ count: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    requests.withLock { threads = $0.begin(count, threads: threads) }
    defer { requests.withLock { threads = $0.end(count) } }
    return try body()
  }

  private static let requests = Mutex(ThreadRequests())
}

/// How many threads callers at work have asked for.
struct ThreadRequests: Sendable {
  private var counts: [Int] = []
  /// How many threads there were before the first.
  private var before = 1

  /// Takes a request; the number of threads from now on, of `threads` so far.
  mutating func begin(_ count: Int, threads: Int) -> Int {
    if counts.isEmpty { before = threads }
    counts.append(count)
    return number
  }

  /// Ends a request; the number of threads from now on.
  mutating func end(_ count: Int) -> Int {
    if let index = counts.firstIndex(of: count) { counts.remove(at: index) }
    return number
  }

  private var number: Int { min(before, counts.min() ?? before) }
}
