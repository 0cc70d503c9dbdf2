import Files
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import FileFormats

struct NpzArchiveTests {
  let folder: TemporaryFolder
  var path: String { folder.file("a.npz") }

  init() throws { folder = try TemporaryFolder() }

  private var statistics: FeatureStatistics {
    FeatureStatistics(
      mean: [1, -2, 0.1],
      covariance: Matrix(rows: 3, columns: 3, elements: [2, 1, 0, 1, 3, -1, 0, -1, 4]))
  }

  @Test func statisticsAreWrittenAndRead() throws {
    try statistics.write(npz: path)
    #expect(try FeatureStatistics(npz: path) == statistics)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    try statistics.write(npz: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    #expect(try folder.contents() == ["a.npz"])
  }

  @Test func arraysAreReadByName() throws {
    try NpzArchive.write(
      [
        ("arr_0", NpyWriter.bytes([1, 2, 3] as [Int64], shape: [3])),
        ("mu_s", NpyWriter.bytes([5] as [Float], shape: [1])),
        ("sigma_s", NpyWriter.bytes([6] as [Float], shape: [1, 1])),
      ], to: path)
    let archive = try NpzArchive(path: path)
    #expect(archive.arrayNames == ["arr_0", "mu_s", "sigma_s"])
    #expect(try archive.array("arr_0").integers() == [1, 2, 3])
    #expect(try FeatureStatistics(archive, features: .spatial).mean == [5])
    #expect(throws: ZipError.missingMember(file: path, member: "b.npy")) {
      try archive.array("b")
    }
    #expect(
      throws: FeatureStatisticsError.missing(
        file: path, wanted: ["mu", "sigma"], found: ["arr_0", "mu_s", "sigma_s"])
    ) { try FeatureStatistics(npz: path) }
  }

  @Test func wrongStatisticsAreRefused() throws {
    func write(_ mu: [Double], _ sigma: [Double], shape: [Int]) throws {
      try NpzArchive.write(
        [
          ("mu", NpyWriter.bytes(mu, shape: [mu.count])),
          ("sigma", NpyWriter.bytes(sigma, shape: shape)),
        ], to: path)
    }
    try write([1, 2], [1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(throws: NpyError.self) { try FeatureStatistics(npz: path) }
    try write([1, 2], [1, 2, 3, 4], shape: [2, 2])
    #expect(
      throws: FeatureStatisticsError.asymmetric(file: "\(path): sigma.npy", row: 1, column: 0)
    ) { try FeatureStatistics(npz: path) }
    try write([1, .nan], [1, 2, 2, 4], shape: [2, 2])
    #expect(throws: FeatureStatisticsError.self) { try FeatureStatistics(npz: path) }
    try Data("no zip".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: ZipError.self) { try NpzArchive(path: path) }
    #expect(throws: FileError.missing("none.npz")) { try NpzArchive(path: "none.npz") }
    #expect(throws: FileError.self) { try statistics.write(npz: folder.file("none/a.npz")) }
    #expect(try folder.contents() == ["a.npz"])
  }

  @Test func mutatedArchivesAreReadOrRefused() throws {
    try statistics.write(npz: path)
    let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    try readMutations(
      of: original, structured: original.count, refusal: ArchiveRefusal.self
    ) { bytes in
      try ArchiveRefusal.translating {
        let archive = try NpzArchive(bytes: bytes, name: "f")
        for name in archive.arrayNames { _ = try archive.array(name).doubles() }
        _ = try FeatureStatistics(archive)
      }
    }
  }

  @Test(.enabled(if: Python.hasNumPy, "python3 with numpy is not installed"))
  func numpyReadsAndWritesTheSame() throws {
    try statistics.write(npz: path)
    let output = try Python.run(
      """
      import numpy
      with numpy.load("\(path)") as f:
          print(f["mu"].dtype, f["mu"].tolist(), f["sigma"].tolist())
      numpy.savez_compressed("\(folder.path)/c.npz", mu=numpy.arange(3.0), sigma=numpy.eye(3, dtype="f4"),
          mu_s=numpy.arange(2.0), sigma_s=numpy.asfortranarray(numpy.eye(2)),
          arr_0=numpy.zeros((2, 4, 4, 3), dtype="u1"))
      import io, zipfile
      with zipfile.ZipFile("\(folder.path)/z.npz", "w") as z:
          for name, a in (("mu", numpy.arange(2.0)), ("sigma", numpy.eye(2))):
              with z.open(name + ".npy", "w", force_zip64=True) as f:
                  numpy.save(f, a)
      """)
    #expect(
      output
        == "float64 [1.0, -2.0, 0.1] [[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 4.0]]\n")
    let compressed = folder.file("c.npz")
    #expect(try FeatureStatistics(npz: compressed).mean == [0, 1, 2])
    #expect(try FeatureStatistics(npz: compressed, features: .spatial).mean == [0, 1])
    #expect(try NpzArchive(path: compressed).array("arr_0").shape == [2, 4, 4, 3])
    let large = try FeatureStatistics(npz: folder.file("z.npz"))
    #expect(large.covariance.elements == [1, 0, 0, 1])
  }
}

/// Any of the errors with which an archive is refused.
enum ArchiveRefusal: Error, CustomStringConvertible {
  case refused(String)

  var description: String {
    switch self {
    case .refused(let reason): reason
    }
  }

  static func translating(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as ZipError {
      throw ArchiveRefusal.refused(error.description)
    } catch let error as NpyError {
      throw ArchiveRefusal.refused(error.description)
    } catch let error as FeatureStatisticsError {
      throw ArchiveRefusal.refused(error.description)
    } catch let error as TorchError {
      throw ArchiveRefusal.refused(error.description)
    }
  }
}
