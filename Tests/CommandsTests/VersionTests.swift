import Foundation
import LinearAlgebra
import Reporting
import Testing

/// A file at the root of the package.
private func packageFile(_ name: String) throws -> String {
  try String(
    contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../\(name)"), encoding: .utf8)
}

/// The version stands in `packageVersion`; the files that cannot read it from there agree with it.
@Test func everyFileNamesTheVersionOfTheProgram() throws {
  let citation = try packageFile("CITATION.cff").split(separator: "\n")
  #expect(citation.filter { $0.hasPrefix("version:") } == ["version: \(packageVersion)"])
  let newest = try #require(
    try packageFile("CHANGELOG.md").split(separator: "\n").first { $0.hasPrefix("## ") })
  #expect(newest == "## \(packageVersion)" || newest == "## \(packageVersion), unreleased")
  let named = try packageFile("README.md").matches(of: /token-entropy (\d+\.\d+\.\d+)/)
  #expect(named.map { String($0.output.1) } == [packageVersion])
  let module = try packageFile("Python/src/token_entropy/_version.py")
  #expect(module.contains("VERSION = \"\(packageVersion)\"\n"))
}

@Test func theCitationNamesTheLicence() throws {
  let citation = try packageFile("CITATION.cff").split(separator: "\n")
  let license = try #require(citation.first { $0.hasPrefix("license: ") }).dropFirst(9)
  #expect(try packageFile("LICENSE").hasPrefix("\(license) License\n"))
  let authors = try #require(citation.first { $0.hasPrefix("  - name: ") }).dropFirst(10)
  #expect(try packageFile("LICENSE").contains(authors))
}

@Test func theProgramsPrintTheVersionAndTheirBLAS() throws {
  for (name, arguments) in [
    ("order-compare", ["--version"]), ("token-entropy", ["--version"]),
    ("token-entropy", ["tokenize", "--version"]),
  ] {
    let result = try Program(name: name).run(arguments)
    #expect(
      result.output
        == "token-entropy \(packageVersion) (\(BLAS.libraryName), core \(BLAS.coreName))\n")
  }
  #expect(BLAS.libraryName.wholeMatch(of: /OpenBLAS \d+\.\d+\.\d+/) != nil)
}
