import Foundation
import LinearAlgebra
import TokenData

/// How a result was made: enough to make it again.
package struct Provenance: Encodable {
  /// The package's version.
  package let version = packageVersion
  /// The command line.
  package let commandLine: String
  /// The name of the input file.
  package let input: String?
  /// The hash of the input file's contents.
  package let inputHash: String?
  /// The seed, where one was used.
  package let seed: UInt64?
  /// The threads that BLAS may use.
  package let threads: Int
  /// The processor whose kernels BLAS uses.
  package let blasCore: String
  /// How long it took, for information; the only fact that differs between equal runs.
  package private(set) var seconds: Double?

  package init(
    input: String? = nil, inputHash: String? = nil, seed: UInt64? = nil,
    arguments: [String] = CommandLine.arguments
  ) {
    let program = arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent }
    commandLine = ([program ?? "token-entropy"] + arguments.dropFirst().map(\.shellWord))
      .joined(separator: " ")
    self.input = input
    self.inputHash = inputHash
    self.seed = seed
    threads = BLAS.threads
    blasCore = BLAS.coreName
  }

  package init(of dataset: TokenDataset, seed: UInt64?) throws {
    self.init(
      input: dataset.name, inputHash: try dataset.contentHash()?.description, seed: seed)
  }

  /// The same with the time it took.
  package func finished(after clock: Stopwatch) -> Provenance {
    var result = self
    result.seconds = clock.seconds
    return result
  }

  /// One fact a line, for the comments of scripts and data files: what does not differ between machines, so that they can be
  /// compared and kept under version control.
  package var lines: [String] {
    var lines = ["token-entropy \(version)", "command: \(commandLine)"]
    if let input { lines.append("input: \(input)\(inputHash.map { ", hash \($0)" } ?? "")") }
    if let seed { lines.append("seed: \(seed)") }
    return lines
  }

  /// The lines, and on what machine it was.
  package var linesOfMachine: [String] { lines + ["threads: \(threads), BLAS core: \(blasCore)"] }
}

extension String {
  /// The text as one word of a shell's command line.
  fileprivate var shellWord: String {
    let plain = unicodeScalars.allSatisfy {
      CharacterSet.alphanumerics.contains($0) || "-_./,:=+@%".unicodeScalars.contains($0)
    }
    return plain && !isEmpty ? self : "'" + replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
