import ArgumentParser
import Statistics

/// Reads `i/N`, the part of something that a process does.
///
/// - Throws: `ValidationError` that names the option, what was found and what was expected.
func numberedPart(_ text: String, option: String) throws -> NumberedPart {
  guard let part = NumberedPart(text) else {
    throw ValidationError(
      "\(option) \(text): expected i/N, part i of N with i from 1 to N, as in 2/8")
  }
  return part
}
