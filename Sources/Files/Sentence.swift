extension String {
  /// The text as one sentence for a terminal: names come from files and may be of any length, break lines or hold control
  /// characters, which are shown as `\u{A}`; of what is longer than 2000 characters the middle is left out.
  ///
  /// - Complexity: O(length).
  public var asSentence: String {
    let longest = 2000
    var text = ""
    // Two thirds of it from the front: a sentence begins with the file and ends with what to do.
    let scalars = unicodeScalars
    let isLong = scalars.count > longest
    func append(_ part: some Sequence<Unicode.Scalar>) {
      for scalar in part {
        if scalar.properties.generalCategory == .control {
          text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    append(scalars.prefix(isLong ? longest * 2 / 3 : longest))
    if isLong {
      text += " … "
      append(scalars.suffix(longest / 3))
    }
    return text
  }
}
