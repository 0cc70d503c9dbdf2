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
    .library(name: "FileOutput", targets: ["FileOutput"]),
    .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
    .library(name: "TokenGrids", targets: ["TokenGrids"]),
    .library(name: "TokenData", targets: ["TokenData"]),
    .library(name: "EntropyEstimation", targets: ["EntropyEstimation"]),
    .library(name: "VisualTokenizers", targets: ["VisualTokenizers"]),
    .library(name: "Figures", targets: ["Figures"]),
    .library(name: "EmbeddedData", targets: ["EmbeddedData"]),
    .library(name: "PARTransformer", targets: ["PARTransformer"]),
    .library(name: "GenerationMetrics", targets: ["GenerationMetrics"]),
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
    .target(name: "SystemResources"),
    .target(name: "FileOutput"),
    .target(name: "LinearAlgebra", dependencies: ["COpenBLAS", "CKernels"]),
    .target(name: "TokenGrids", dependencies: ["FileOutput"]),
    .target(
      name: "TokenData",
      dependencies: [
        "CHDF5", "CHDF5Input", "CHDF5Output", "CZip", "FileOutput", "TokenGrids", "LinearAlgebra",
      ]),
    .target(
      name: "EntropyEstimation",
      dependencies: ["SystemResources", "TokenData", "TokenGrids", "LinearAlgebra"]),
    .target(
      name: "PARTransformer",
      dependencies: ["FileOutput", "SystemResources", "TokenData", "TokenGrids", "LinearAlgebra"]),
    .target(name: "Figures", dependencies: ["FileOutput", "TokenGrids"]),
    .target(
      name: "VisualTokenizers",
      dependencies: [
        "CTurboJPEG", "CPNG", "CZlib", "SystemResources", "TokenData", "TokenGrids",
        "LinearAlgebra",
      ]),
    .target(
      name: "GenerationMetrics",
      dependencies: [
        "EntropyEstimation", "LinearAlgebra", "TokenData", "TokenGrids", "VisualTokenizers",
      ]),
    .target(
      name: "EmbeddedData", path: "Notebooks-data", exclude: ["README.md"],
      resources: [
        .copy("scenes-24x24.h5"), .copy("scenes-12x12.h5"), .copy("learned-24x24.h5"),
        .copy("learned-12x12.h5"),
      ]),
    .target(
      name: "Commands",
      dependencies: [
        "CProgramStart", "EmbeddedData", "EntropyEstimation", "Figures", "FileOutput",
        "GenerationMetrics", "LinearAlgebra", "PARTransformer", "SystemResources", "TokenData",
        "TokenGrids", "VisualTokenizers", argumentParser,
      ]),

    // Programs
    command("entropy-map"),
    command("order-compare"),
    command("appendix-figures"),
    command("par-sample"),
    command("par-train"),
    command("fid-compare"),
    command("tokenize"),

    // Tests
    .testTarget(name: "SystemResourcesTests", dependencies: ["SystemResources"]),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CHDF5", "CTurboJPEG", "CZip", "FileOutput", "LinearAlgebra", "PARTransformer", "TokenData",
        "TokenGrids", "VisualTokenizers", argumentParser,
      ], path: "Tests/fuzz"),
    .testTarget(name: "FuzzTests", dependencies: ["CZip", "fuzz"]),
    .testTarget(name: "FileOutputTests", dependencies: ["FileOutput"]),
    .testTarget(name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "TokenGrids"]),
    .testTarget(
      name: "EntropyEstimationTests",
      dependencies: ["EntropyEstimation", "TokenData", "TokenGrids", "LinearAlgebra"]),
    .testTarget(
      name: "VisualTokenizersTests",
      dependencies: [
        "VisualTokenizers", "CTurboJPEG", "CPNG", "TokenData", "TokenGrids", "LinearAlgebra",
      ], resources: [.copy("Resources")]),
    .testTarget(
      name: "EmbeddedDataTests",
      dependencies: ["EmbeddedData", "EntropyEstimation", "TokenData", "TokenGrids"]),
    .testTarget(
      name: "GenerationMetricsTests",
      dependencies: [
        "GenerationMetrics", "EntropyEstimation", "LinearAlgebra", "TokenData", "TokenGrids",
        "VisualTokenizers",
      ]),
    .testTarget(
      name: "TokenDataTests", dependencies: ["CHDF5", "CHDF5Input", "TokenData", "LinearAlgebra"]),
    .testTarget(name: "TokenGridsTests", dependencies: ["TokenGrids"]),
    .testTarget(
      name: "PARTransformerTests",
      dependencies: ["PARTransformer", "TokenData", "TokenGrids", "LinearAlgebra"],
      resources: [.copy("Resources")]),
    .testTarget(name: "FiguresTests", dependencies: ["Figures", "TokenGrids"]),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "Commands", "EmbeddedData", "entropy-map", "order-compare", "appendix-figures", "tokenize",
        "par-sample",
        "par-train", "fid-compare", "EntropyEstimation", "FileOutput", "GenerationMetrics",
        "LinearAlgebra",
        "PARTransformer", "TokenData", "TokenGrids",
        "VisualTokenizers",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
