import Files
import Foundation
import TokenGrids

/// The hashes that files of models have.
enum NumberHash {
  /// Of a codebook or of codes and labels: of the numbers in memory, whatever file they came from.
  static func text<T: BitwiseCopyable>(of values: [T]) -> String {
    values.withUnsafeBytes { ContentHash(of: Data($0)).description }
  }

  /// Of an order's steps, whatever its name.
  static func text(of order: GenerationOrder) -> String {
    ContentHash(of: Data(order.jsonText.utf8)).description
  }
}
