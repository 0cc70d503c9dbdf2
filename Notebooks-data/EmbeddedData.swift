import Foundation

/// The datasets that come with the package: tokens of photographs, no pictures.
///
/// `README.md` beside them says where they come from and how they were made.
public enum EmbeddedData {
  /// 10,000 photographs as 24 × 24 tokens of 16,384 codes with 8 channels.
  public static var scenes24x24: URL { file("scenes-24x24.h5") }

  /// The same photographs as 12 × 12 tokens of 1,024 codes with 8 channels.
  public static var scenes12x12: URL { file("scenes-12x12.h5") }

  /// The same photographs, in the same order, as 24 × 24 tokens of a learned encoder: 16,384 codes with 8 channels.
  ///
  /// Its tokens see beyond their own 8 × 8 pixels, and there is no decoder to images.
  public static var learned24x24: URL { file("learned-24x24.h5") }

  /// The same photographs as 12 × 12 tokens of that encoder: 1,024 codes with 8 channels, no decoder to images.
  public static var learned12x12: URL { file("learned-12x12.h5") }

  /// The names by which the sets are called, as on the command line.
  ///
  /// A name without a grid is that of the 24 × 24 tokens.
  public static let names = ["scenes", "learned", "scenes-12x12", "learned-12x12"]

  /// The set of one of these ``names``, or of `scenes-24x24` or `learned-24x24`; nil for any other word.
  public static func dataset(named name: String) -> URL? {
    switch name {
    case "scenes", "scenes-24x24": scenes24x24
    case "learned", "learned-24x24": learned24x24
    case "scenes-12x12": scenes12x12
    case "learned-12x12": learned12x12
    default: nil
    }
  }

  /// Finds a file of this target: beside the program, where the build puts it, or where `make install` does.
  ///
  /// The generated `Bundle.module` ends the program when it finds nothing, and knows the folder of the build; here the file
  /// that is missing can be named by whoever opens it, and the program may be moved with its data.
  private static func file(_ name: String) -> URL {
    let candidates = folders.map { $0.appendingPathComponent(name) }
    return candidates.first { FileManager.default.fileExists(atPath: $0.path) } ?? candidates[0]
  }

  /// Where the data may be, by the place of the program itself, not of a link that leads to it: beside it as the build has
  /// them, `.resources` on Linux and `.bundle` on macOS; or in `share/token-entropy` beside its folder `bin`.
  static var folders: [URL] {
    let program = (Bundle.main.executableURL ?? Bundle.main.bundleURL).resolvingSymlinksInPath()
    let folder = program.deletingLastPathComponent()
    return ["resources", "bundle"].map {
      folder.appendingPathComponent("token-entropy_EmbeddedData.\($0)")
    } + [folder.deletingLastPathComponent().appendingPathComponent("share/token-entropy")]
  }
}
