// swift-tools-version: 6.1
import PackageDescription

// Debian names the serial build of HDF5 apart; Homebrew has only that one.
#if os(macOS)
  let hdf5PkgConfig = "hdf5"
#else
  let hdf5PkgConfig = "hdf5-serial"
#endif

/// A C library of the system: one module map and one shim header, installed by apt or brew.
func system(_ name: String, pkgConfig: String, apt: [String], brew: [String]) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt(apt), .brew(brew)])
}

/// A library of Swift, with a README beside its sources that says what it is for.
func library(_ name: String, dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: ["README.md"])
}

/// An executable of three lines: its command lives in `Commands`, where tests can reach it.
func command(_ name: String) -> Target {
  .executableTarget(name: name, dependencies: ["Commands"])
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "token-entropy",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "SystemResources", targets: ["SystemResources"]),
    .library(name: "Files", targets: ["Files"]),
    .library(name: "Statistics", targets: ["Statistics"]),
    .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
    .library(name: "NeuralKernels", targets: ["NeuralKernels"]),
    .library(name: "FileFormats", targets: ["FileFormats"]),
    .library(name: "TokenGrids", targets: ["TokenGrids"]),
    .library(name: "TokenData", targets: ["TokenData"]),
    .library(name: "EntropyEstimation", targets: ["EntropyEstimation"]),
    .library(name: "Shards", targets: ["Shards"]),
    .library(name: "OrderSearch", targets: ["OrderSearch"]),
    .library(name: "PARTransformer", targets: ["PARTransformer"]),
    .library(name: "Figures", targets: ["Figures"]),
    .library(name: "Atlas", targets: ["Atlas"]),
    .library(name: "VisualTokenizers", targets: ["VisualTokenizers"]),
    .library(name: "GenerationMetrics", targets: ["GenerationMetrics"]),
    .library(name: "EmbeddedData", targets: ["EmbeddedData"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // C libraries
    system(
      "COpenBLAS", pkgConfig: "openblas", apt: ["libopenblas-dev", "liblapacke-dev"],
      brew: ["openblas"]),
    system("CHDF5", pkgConfig: hdf5PkgConfig, apt: ["libhdf5-dev"], brew: ["hdf5"]),
    system(
      "CTurboJPEG", pkgConfig: "libturbojpeg", apt: ["libturbojpeg0-dev"], brew: ["jpeg-turbo"]),
    system("CPNG", pkgConfig: "libpng", apt: ["libpng-dev"], brew: ["libpng"]),
    system("CZip", pkgConfig: "libzip", apt: ["libzip-dev"], brew: ["libzip"]),
    system("CZlib", pkgConfig: "zlib", apt: ["zlib1g-dev"], brew: ["zlib"]),
    .target(name: "CKernels"),
    .target(name: "CHDF5Output", dependencies: ["CHDF5"]),
    .target(name: "CProgramStart"),
    .target(name: "CHDF5Input", dependencies: ["CHDF5", "CZlib"]),

    // Libraries, from the ground up
    library("SystemResources"),
    library("Files"),
    library("Statistics"),
    library("LinearAlgebra", dependencies: ["CKernels", "COpenBLAS"]),
    library("NeuralKernels", dependencies: ["CKernels", "COpenBLAS", "LinearAlgebra"]),
    library(
      "FileFormats",
      dependencies: [
        "CHDF5", "CHDF5Input", "CHDF5Output", "CZip", "CZlib", "Files", "LinearAlgebra",
      ]),
    library("TokenGrids", dependencies: ["Files", "Statistics"]),
    library(
      "TokenData",
      dependencies: [
        "FileFormats", "Files", "LinearAlgebra", "Statistics", "SystemResources", "TokenGrids",
      ]),
    library(
      "EntropyEstimation",
      dependencies: [
        "LinearAlgebra", "NeuralKernels", "Statistics", "SystemResources", "TokenData",
        "TokenGrids",
      ]),
    library(
      "Shards",
      dependencies: [
        "EntropyEstimation", "FileFormats", "Files", "LinearAlgebra", "Statistics",
        "SystemResources", "TokenData", "TokenGrids",
      ]),
    library(
      "OrderSearch",
      dependencies: [
        "EntropyEstimation", "LinearAlgebra", "Statistics", "TokenData", "TokenGrids",
      ]),
    library(
      "PARTransformer",
      dependencies: [
        "FileFormats", "Files", "LinearAlgebra", "NeuralKernels", "Statistics", "SystemResources",
        "TokenData", "TokenGrids",
      ]),
    library("Figures", dependencies: ["Files", "TokenGrids"]),
    .target(
      name: "Atlas",
      dependencies: ["Files", "Statistics", "SystemResources", "TokenGrids"],
      exclude: ["README.md", "Page/sample.js"],
      // Inside the program, so that it needs no files beside it.
      resources: [
        "atlas.html", "atlas.css", "payload.js", "colours.js", "grid.js", "plot.js", "maps.js",
        "orders.js", "atlas.js",
      ].map { .embedInCode("Page/\($0)") }),
    library(
      "VisualTokenizers",
      dependencies: [
        "CPNG", "CTurboJPEG", "CZlib", "FileFormats", "Files", "LinearAlgebra", "NeuralKernels",
        "Statistics", "SystemResources", "TokenData", "TokenGrids",
      ]),
    library(
      "GenerationMetrics",
      dependencies: [
        "EntropyEstimation", "FileFormats", "Files", "LinearAlgebra", "NeuralKernels", "Statistics",
        "SystemResources", "TokenData", "TokenGrids", "VisualTokenizers",
      ]),
    .target(
      name: "EmbeddedData", path: "Notebooks-data", exclude: ["README.md", "orders"],
      resources: [
        .copy("scenes-24x24.h5"), .copy("scenes-12x12.h5"), .copy("learned-24x24.h5"),
        .copy("learned-12x12.h5"),
      ]),
    library(
      "Reporting",
      dependencies: ["Files", "LinearAlgebra", "Statistics", "TokenData", "TokenGrids"]
    ),
    library(
      "Experiments",
      dependencies: [
        "EntropyEstimation", "Figures", "FileFormats", "Files", "GenerationMetrics",
        "LinearAlgebra", "NeuralKernels", "PARTransformer", "Reporting", "Statistics", "TokenData",
        "TokenGrids", "VisualTokenizers",
      ]),
    library(
      "Commands",
      dependencies: [
        "Atlas", "CProgramStart", "EmbeddedData", "EntropyEstimation", "Experiments", "Figures",
        "FileFormats", "Files", "GenerationMetrics", "LinearAlgebra", "NeuralKernels",
        "OrderSearch", "PARTransformer", "Reporting", "Shards", "Statistics", "SystemResources",
        "TokenData", "TokenGrids", "VisualTokenizers", argumentParser,
      ]),

    // Programs: all commands in one, and one for each
    command("token-entropy"),
    command("entropy-map"),
    command("order-compare"),
    command("order-search"),
    command("moments"),
    command("appendix-figures"),
    command("par-sample"),
    command("par-train"),
    command("fid-compare"),
    command("tokenize"),

    // Tests
    .target(
      name: "TestSupport",
      dependencies: ["FileFormats", "LinearAlgebra", "TokenData", "TokenGrids"],
      path: "Tests/TestSupport"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CHDF5", "CTurboJPEG", "CZip", "EntropyEstimation", "FileFormats", "LinearAlgebra",
        "PARTransformer", "Shards", "Statistics", "TokenData", "TokenGrids", "VisualTokenizers",
        argumentParser,
      ], path: "Tests/fuzz"),
    .testTarget(name: "SystemResourcesTests", dependencies: ["SystemResources"]),
    .testTarget(
      name: "FilesTests", dependencies: ["Files", "Statistics", "TestSupport", "TokenGrids"]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"]),
    .testTarget(
      name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "Statistics", "TokenGrids"]),
    .testTarget(
      name: "NeuralKernelsTests",
      dependencies: ["LinearAlgebra", "NeuralKernels", "Statistics", "TokenGrids"]),
    .testTarget(
      name: "FileFormatsTests",
      dependencies: [
        "CZip", "FileFormats", "Files", "LinearAlgebra", "NeuralKernels", "PARTransformer",
        "Statistics", "TestSupport", "TokenData", "TokenGrids",
      ]),
    .testTarget(
      name: "TokenGridsTests", dependencies: ["Statistics", "TestSupport", "TokenGrids"],
      resources: [.copy("Resources")]),
    .testTarget(
      name: "TokenDataTests",
      dependencies: [
        "CHDF5", "CHDF5Input", "FileFormats", "Files", "LinearAlgebra", "Statistics",
        "SystemResources", "TestSupport", "TokenData", "TokenGrids",
      ]),
    .testTarget(
      name: "EntropyEstimationTests",
      dependencies: [
        "EntropyEstimation", "FileFormats", "LinearAlgebra", "Statistics", "SystemResources",
        "TestSupport", "TokenData", "TokenGrids",
      ]),
    .testTarget(
      name: "ShardsTests",
      dependencies: [
        "EntropyEstimation", "FileFormats", "LinearAlgebra", "Shards", "Statistics", "TestSupport",
        "TokenData", "TokenGrids",
      ]),
    .testTarget(
      name: "OrderSearchTests",
      dependencies: [
        "EntropyEstimation", "LinearAlgebra", "OrderSearch", "Statistics", "TestSupport",
        "TokenData",
        "TokenGrids",
      ]),
    .testTarget(
      name: "PARTransformerTests",
      dependencies: [
        "FileFormats", "LinearAlgebra", "NeuralKernels", "PARTransformer", "Statistics",
        "TokenData", "TokenGrids",
      ], resources: [.copy("Resources")]),
    .testTarget(
      name: "AtlasTests", dependencies: ["Atlas", "Files", "Statistics", "TokenGrids"]),
    .testTarget(name: "FiguresTests", dependencies: ["Figures", "TestSupport", "TokenGrids"]),
    .testTarget(
      name: "VisualTokenizersTests",
      dependencies: [
        "CPNG", "CTurboJPEG", "FileFormats", "Files", "LinearAlgebra", "Statistics", "TestSupport",
        "TokenData", "TokenGrids", "VisualTokenizers",
      ], resources: [.copy("Resources")]),
    .testTarget(
      name: "GenerationMetricsTests",
      dependencies: [
        "EntropyEstimation", "FileFormats", "Files", "GenerationMetrics", "LinearAlgebra",
        "Statistics", "SystemResources", "TokenData", "TokenGrids", "VisualTokenizers",
      ]),
    .testTarget(
      name: "EmbeddedDataTests",
      dependencies: ["EmbeddedData", "EntropyEstimation", "Statistics", "TokenData", "TokenGrids"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "Statistics", "TokenGrids"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: [
        "Experiments", "GenerationMetrics", "LinearAlgebra", "PARTransformer", "Reporting",
        "Statistics", "TokenData", "TokenGrids",
      ]),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Commands", "EmbeddedData", "EntropyEstimation", "Experiments", "FileFormats", "Files",
        "LinearAlgebra", "NeuralKernels", "PARTransformer", "Reporting", "Statistics",
        "SystemResources", "TestSupport", "TokenData", "TokenGrids", "VisualTokenizers",
        "appendix-figures",
        "entropy-map", "fid-compare", "moments", "order-search", "order-compare", "par-sample",
        "par-train",
        "token-entropy", "tokenize", argumentParser,
      ]),
    .testTarget(
      name: "ReadmeExamplesTests",
      dependencies: [
        "Atlas", "Commands", "EmbeddedData", "EntropyEstimation", "Experiments", "Figures",
        "FileFormats", "Files", "GenerationMetrics", "LinearAlgebra", "NeuralKernels",
        "OrderSearch", "PARTransformer", "Reporting", "Shards", "Statistics", "SystemResources",
        "TokenData", "TokenGrids", "VisualTokenizers", argumentParser,
      ]),
    .testTarget(name: "FuzzTests", dependencies: ["CZip", "fuzz"]),
  ],
  swiftLanguageModes: [.v6]
)
