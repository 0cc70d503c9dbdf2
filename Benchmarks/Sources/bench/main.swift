// Compares whole programs on the same file in the same run.
import Foundation
import LinearAlgebra
import NeuralKernels

let arguments = Array(CommandLine.arguments.dropFirst())

func option(_ name: String) -> String? {
  arguments.firstIndex(of: name).flatMap {
    $0 + 1 < arguments.count ? arguments[$0 + 1] : nil
  }
}

guard let root = option("--root"), let runs = Int(option("--runs") ?? "5"), runs > 0 else {
  FileHandle.standardError.write(
    Data(
      ("usage: bench --root FOLDER [sampling | any-order | training | metrics | costs] [--runs N] [--python FILE]"
        + " [--precision f32|bf16]\n       bench --root FOLDER shards --images M [--parts N] [--seed S] --output FOLDER\n")
        .utf8))
  exit(64)
}
let python = option("--python") ?? "python3"
do {
  var precisions = WeightPrecision.allCases
  if let name = option("--precision") {
    guard let precision = WeightPrecision(rawValue: name) else {
      throw WholeProcess.Failure(description: "--precision \(name): expected f32 or bf16")
    }
    precisions = [precision]
  }
  if arguments.contains("any-order") {
    try AnyOrderBenchmark(
      root: root, runs: runs, python: python, precisions: precisions,
      trains: option("--precision") == nil
    ).run()
  } else if arguments.contains("sampling") {
    try SamplingBenchmark(root: root, runs: runs, python: python, precisions: precisions).run()
  } else if arguments.contains("metrics") {
    try MetricsBenchmark(root: root, runs: runs, python: python).run()
  } else if arguments.contains("training") {
    try TrainingBenchmark(root: root, runs: runs, python: python).run()
  } else if arguments.contains("shards") {
    try SyntheticShards.run(root: root)
  } else if arguments.contains("costs") {
    try CostsBenchmark(root: root, runs: runs).run()
  } else {
    try EstimationBenchmark(root: root, runs: runs, python: python).run()
  }
} catch {
  FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
  exit(1)
}
