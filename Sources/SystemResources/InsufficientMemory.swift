/// Something takes more memory than there is.
public struct InsufficientMemory: Error, Hashable, Sendable {
  /// What takes it, in the plural, such as `the sums of products of 131,072 numbers`.
  public let subject: String
  /// The bytes it takes at the least.
  public let needed: Double
  /// What there is.
  public let available: AvailableMemory

  /// Makes the error.
  public init(subject: String, needed: Double, available: AvailableMemory) {
    self.subject = subject
    self.needed = needed
    self.available = available
  }

  /// Refuses what is sure not to fit, before anything is allocated; the system would end the program without a word.
  ///
  /// - Parameters:
  ///   - bytes: What is taken at the least, as a floating-point number: products of sizes overflow integers.
  ///   - subject: What takes it, in the plural.
  ///   - available: What there is; nil where that is not known, so that nothing is refused.
  /// - Throws: ``InsufficientMemory``.
  public static func check(
    _ bytes: Double, for subject: @autoclosure () -> String,
    available: AvailableMemory? = AvailableMemory.now
  ) throws(InsufficientMemory) {
    // What is small fits wherever the program itself does: no need to ask.
    guard bytes > 64e6, let available, bytes > available.bytes else { return }
    throw InsufficientMemory(subject: subject(), needed: bytes, available: available)
  }
}

extension InsufficientMemory: CustomStringConvertible {
  /// Such as `the weights of 24 layers take 137 GB of memory, and 20.1 GB are free`.
  public var description: String {
    "\(subject) take \(needed.byteText) of memory, and \(available)"
  }
}
