/// The time since it was made.
struct Stopwatch {
  private let start = ContinuousClock.now

  /// Seconds since then.
  var seconds: Double {
    let elapsed = (ContinuousClock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
}
