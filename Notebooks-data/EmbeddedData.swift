import Foundation

/// The datasets that come with the package: tokens of photographs, no pictures.
///
/// `README.md` beside them says where they come from and how they were made.
public enum EmbeddedData {
  /// 10,000 photographs as 24 × 24 tokens of 16,384 codes with 8 channels.
  public static var scenes24x24: URL { file("scenes-24x24.h5") }

  /// The same photographs as 12 × 12 tokens of 1,024 codes with 8 channels.
  public static var scenes12x12: URL { file("scenes-12x12.h5") }

  /// Finds a file of this target: beside the program, where the build puts it, or in the sources.
  ///
  /// The generated `Bundle.module` ends the program when it finds nothing; here the file that is
  /// missing can be named by whoever opens it.
  private static func file(_ name: String) -> URL {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let candidates =
      resourceFolders.map { $0.appendingPathComponent(name) }
      + [sources.appendingPathComponent(name)]
    return candidates.first { FileManager.default.fileExists(atPath: $0.path) } ?? candidates[0]
  }

  /// Where the build puts the resources of this target: `.resources` on Linux, `.bundle` on macOS.
  private static var resourceFolders: [URL] {
    let program = Bundle.main.bundleURL
    return ["resources", "bundle"].map {
      program.appendingPathComponent("token-entropy_EmbeddedData.\($0)")
    }
  }
}
