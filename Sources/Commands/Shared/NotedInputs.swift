import Files
import Foundation
import TokenGrids

/// Notes what a command reads, and finds out before the work whether its output can be written.
///
/// - Throws: `FileError.unwritable`, as when the output is one of the inputs.
func checkOutput(_ output: String, inputs: [String?]) throws {
  // A folder has a million images; what is not there is none of them.
  if FileManager.default.fileExists(atPath: output) {
    for case let input? in inputs { InputFiles.shared.insert(input) }
  }
  _ = try OutputFile(path: output)
}

extension OrderSpecification {
  /// An order of the command line, whose file no output may replace.
  init(argument text: String) throws {
    try self.init(text)
    if let path { InputFiles.shared.insert(path) }
  }
}
