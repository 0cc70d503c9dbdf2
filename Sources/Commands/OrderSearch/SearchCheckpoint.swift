import Files
import Foundation
import OrderSearch
import Reporting

/// What a search has found so far, so that the same search goes on where it was stopped.
struct SearchCheckpoint: Codable {
  /// What must be the same for candidates to count: the data, its parts and the covariance fitted to them.
  struct Search: Codable, Hashable {
    let format: Int
    let inputHash: String?
    let images: Int
    let featureDimensions: Int
    let parts: String
    let seed: UInt64
    let limit: Int?
    let given: String?
    let initialSteps: Int
    let multiple: Int
    let largestGroup: Int?
    let starts: [String]
  }

  let search: Search
  var candidates: [SearchCandidate]

  /// Reads the candidates of an earlier run; none where there is no file.
  ///
  /// - Throws: ``CheckpointError`` for a file that is not one, or is that of another search.
  static func candidates(of search: Search, from path: String) throws -> [SearchCandidate] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let found = JSONFile.read(SearchCheckpoint.self, from: path) else {
      throw CheckpointError(
        path: path, reason: "this is no checkpoint of order-search, and would be written over")
    }
    guard found.search == search else {
      throw CheckpointError(
        path: path,
        reason:
          "it belongs to a search of other tokens or with other options; remove it or name another file"
      )
    }
    return found.candidates
  }
}

/// A checkpoint that cannot be used.
struct CheckpointError: Error, CustomStringConvertible {
  let path: String
  let reason: String
  var description: String { "\(path): \(reason)" }
}
