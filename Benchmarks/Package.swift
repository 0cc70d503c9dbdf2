// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who uses token-entropy builds its benchmarks.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "token-entropy", path: "..")],
  targets: [
    .executableTarget(
      name: "bench",
      dependencies: [
        .product(name: "EntropyEstimation", package: "token-entropy"),
        .product(name: "LinearAlgebra", package: "token-entropy"),
        .product(name: "NeuralKernels", package: "token-entropy"),
        .product(name: "OrderSearch", package: "token-entropy"),
        .product(name: "PARTransformer", package: "token-entropy"),
        .product(name: "GenerationMetrics", package: "token-entropy"),
        .product(name: "Statistics", package: "token-entropy"),
        .product(name: "TokenData", package: "token-entropy"),
        .product(name: "TokenGrids", package: "token-entropy"),
      ]),
    .executableTarget(
      name: "vq-benchmark",
      dependencies: [
        .product(name: "VisualTokenizers", package: "token-entropy"),
        .product(name: "TokenData", package: "token-entropy"),
        .product(name: "LinearAlgebra", package: "token-entropy"),
        .product(name: "NeuralKernels", package: "token-entropy"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
