import FileFormats
import Files
import LinearAlgebra
import TokenGrids

/// An `.npz` archive with the tokens of all photographs and what belongs to them.
struct TokenArchive {
  private let archive: NpzArchive
  private let tokenName: String

  /// Opens the archive; nil where the file is none.
  ///
  /// - Throws: `ZipError`, or ``TokenImportError/noTokens(file:found:)``.
  init?(path: String) throws {
    guard case .zip = FileContent(ofFileAt: path) else { return nil }
    archive = try NpzArchive(path: path)
    let names = archive.arrayNames
    if let known = ["codes", "features"].first(where: names.contains) {
      tokenName = known
    } else if names.count == 1 {
      tokenName = names[0]
    } else {
      throw TokenImportError.noTokens(file: path, found: names)
    }
  }

  /// The codes or features.
  func tokens() throws -> NpyArray { try archive.array(tokenName) }

  /// The codebook, taken as it is; nil where there is none, and for features.
  func codebook() throws -> FloatMatrix? {
    guard tokenName != "features", archive.arrayNames.contains("codebook") else { return nil }
    return try CodebookFile.codebook(of: archive.array("codebook"))
  }

  /// The labels, where there are some.
  func labels() throws -> NpyArray? {
    archive.arrayNames.contains("labels") ? try archive.array("labels") : nil
  }
}
