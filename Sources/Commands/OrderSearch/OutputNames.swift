import ArgumentParser
import EntropyEstimation
import FileFormats
import Files
import Foundation
import TokenGrids

/// The files that `--output` stands for: of each number of steps the order, its step table, permutation and group sizes, and one
/// curve.
struct OutputNames {
  /// The path without its extension, and the extension.
  private let stem, suffix: String

  init?(_ path: String) {
    let url = path as NSString
    suffix = url.pathExtension
    stem = url.deletingPathExtension
    guard ["json", "txt", "csv"].contains(suffix.lowercased()), !stem.isEmpty else { return nil }
  }

  /// The stem of an order's files; with several numbers of steps they stand in it.
  private func stem(_ steps: Int, of wanted: [Int]) -> String {
    wanted.count > 1 ? "\(stem)-\(steps)" : stem
  }

  private var curve: String { "\(stem)-curve.csv" }

  private func paths(_ steps: Int, of wanted: [Int]) -> [String] {
    let stem = stem(steps, of: wanted)
    return ["\(stem).\(suffix)"] + (suffix == "txt" ? [] : ["\(stem).txt"])
      + ["\(stem).npy", "\(stem)-sizes.npy"]
  }

  /// Finds out, before the work, whether the files can be written.
  func check(steps wanted: [Int]) throws {
    for path in wanted.flatMap({ paths($0, of: wanted) }) + [curve] {
      _ = try OutputFile(path: path)
    }
  }

  /// Writes all files; returns their paths.
  @discardableResult
  func write(
    orders: [GenerationOrder], curve text: String
  ) throws -> [String] {
    let wanted = orders.map(\.steps.count)
    var written: [String] = []
    for order in orders {
      let paths = paths(order.steps.count, of: wanted)
      try order.write(toFile: paths[0])
      if suffix != "txt" { try order.write(toFile: paths[1]) }
      let numbers = [order.sequence, order.steps.map(\.count)]
      for (path, values) in zip(paths.suffix(2), numbers) {
        try NpyWriter.write(values.map(Int64.init), shape: [values.count], to: path)
      }
      written += paths
    }
    try OutputFile.write(Data((text + "\n").utf8), to: curve)
    return written + [curve]
  }
}
