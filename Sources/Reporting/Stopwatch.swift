/// The time since it was made.
package struct Stopwatch {
  private let start = ContinuousClock.now

  package init() {}

  /// Seconds since then.
  package var seconds: Double {
    let elapsed = (ContinuousClock.now - start).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
}
