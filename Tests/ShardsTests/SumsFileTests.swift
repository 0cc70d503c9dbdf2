import EntropyEstimation
import FileFormats
import Foundation
import LinearAlgebra
import Statistics
import TestSupport
import Testing
import TokenData
import TokenGrids

@testable import Shards

private let grid = TokenGrid(rows: 2, columns: 3)

private func tokens(
  _ seed: UInt64 = 1, codebook scale: Float = 1, grid: TokenGrid = grid, labels: Bool = true
) throws -> TokenDataset {
  var stream = NormalStream(seed: seed)
  let codebook = FloatMatrix(
    rows: 16, columns: 2, elements: (0..<32).map { scale * Float(($0 * 13) % 31) })
  return try TokenDataset(
    name: "t\(seed).h5", grid: grid,
    tokens: .codes(
      (0..<60 * grid.cellCount).map { _ in UInt32(stream.uniform() * 16) }, codebook: codebook),
    labels: labels ? TokenLabels(values: (0..<60).map { UInt32($0 % 3) }, names: []) : nil)
}

private func stored(
  _ dataset: TokenDataset, _ share: String = "1/1",
  precision: TokenMoments.Precision = .double, withClasses: Bool = true
) throws -> StoredMoments {
  try StoredMoments(
    of: ShardImages(of: dataset, share: try #require(NumberedPart(share))), precision: precision,
    withClasses: withClasses)
}

private func sums(_ dataset: TokenDataset, phase: Int) throws -> StoredResiduals {
  let estimation = try ShardedEstimation(stored(dataset), hash: "m")
  let orders = try ["raster", "halton"].map {
    try OrderSpecification($0).order(on: grid, tokensPerStep: 2)
  }
  let images = try ShardImages(of: dataset)
  let residuals = try estimation.residuals(of: orders, in: images)
  return phase == 2 ? residuals : try estimation.influences(of: residuals, in: images)
}

@Test(arguments: [TokenMoments.Precision.mixed, .double], [true, false])
func momentsAreReadAsTheyWereWritten(_ precision: TokenMoments.Precision, _ classes: Bool) throws {
  try inTemporaryFolder { folder in
    let path = folder + "/a.h5"
    let written = try stored(tokens(), "2/3", precision: precision, withClasses: classes)
    try written.write(to: path, createdBy: "test")
    let read = try StoredMoments(contentsOf: path)
    #expect(read.moments.mean == written.moments.mean)
    for i in 0..<12 {
      for j in 0...i { #expect(read.moments.scatter[i, j] == written.moments.scatter[i, j]) }
    }
    #expect(read.moments.roundingScale == written.moments.roundingScale)
    #expect(read.parts == written.parts && read.imageCount == 20 && read.photographCount == 20)
    #expect(read.codebookHash == written.codebookHash && read.codebookHash != nil)
    #expect(read.classes?.means == written.classes?.means)
    #expect((read.classes != nil) == classes)
    // Equal contents are equal bytes: the hash of a file is that of what it says.
    try written.write(to: folder + "/b.h5", createdBy: "test")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: path))
        == Data(contentsOf: URL(fileURLWithPath: folder + "/b.h5")))
  }
}

@Test(arguments: [2, 3])
func residualSumsAreReadAsTheyWereWritten(_ phase: Int) throws {
  try inTemporaryFolder { folder in
    let written = try sums(tokens(), phase: phase)
    try written.write(to: folder + "/r.h5", createdBy: "test")
    let read = try StoredResiduals(contentsOf: folder + "/r.h5")
    #expect(read.orders == written.orders && read.residuals == written.residuals)
    #expect(read.hasInfluences == (phase == 3) && read.parts == written.parts)
    #expect(
      read.influences?.sums.map { $0.map(\.numbers) }
        == written.influences?.sums.map { $0.map(\.numbers) })
    #expect(read.influences?.pairs.map(\.numbers) == written.influences?.pairs.map(\.numbers))
  }
}

private func inTemporaryFolder(_ body: (String) throws -> Void) throws {
  let folder = try TemporaryFolder()
  try withExtendedLifetime(folder) { try body(folder.path) }
}

/// A sentence with all of these parts is thrown.
private func expect(_ parts: [String], _ body: () throws -> Void) {
  do {
    try body()
    Issue.record("nothing was refused, \(parts) expected")
  } catch {
    for part in parts { #expect("\(error)".contains(part), "\(error) has no \(part)") }
  }
}

@Test func whatDoesNotBelongTogetherIsNotMerged() throws {
  let first = try stored(tokens(1))
  func merging(_ other: @autoclosure () throws -> StoredMoments) throws {
    var merged = first
    try merged.merge(other())
  }
  expect(["t1.h5", "twice", "all 60 images"]) { try merging(stored(tokens(1))) }
  expect(["t1.h5", "twice", "images 20 to 39"]) { try merging(stored(tokens(1), "2/3")) }
  expect(["t2.h5", "t1.h5", "codebook is xxh64:"]) { try merging(stored(tokens(2, codebook: 2))) }
  expect(["t2.h5", "grid is 3x3", "2x3"]) {
    try merging(stored(tokens(2, grid: TokenGrid(rows: 3, columns: 3))))
  }
  expect(["t2.h5", "precision is mixed", "double"]) {
    try merging(stored(tokens(2), precision: .mixed))
  }
  expect(["t2.h5", "list of classes is none"]) { try merging(stored(tokens(2, labels: false))) }
  try merging(stored(tokens(2)))
  expect(["images 20 to 59 of t1.h5 are missing", "--partial"]) {
    try stored(tokens(1), "1/3").requireComplete()
  }
}

@Test func sumsOfOtherImagesAreNotUsed() throws {
  let (a, b) = (try tokens(1), try tokens(2))
  var both = try stored(a)
  try both.merge(stored(b))
  let orders = [try OrderSpecification("raster").order(on: grid, tokensPerStep: 2)]
  let estimation = try ShardedEstimation(both, hash: "m")
  let ofA = try estimation.residuals(of: orders, in: ShardImages(of: a))
  expect(["t1.h5", "all 60 images of t2.h5 are missing"]) {
    _ = try estimation.influences(of: ofA, in: ShardImages(of: a))
  }
  expect(["t3.h5", "does not"]) {
    _ = try estimation.residuals(of: orders, in: ShardImages(of: tokens(3)))
  }
  expect(["t1.h5", "codebook"]) {
    _ = try estimation.residuals(of: orders, in: ShardImages(of: tokens(1, codebook: 3)))
  }
  expect(["t3.h5", "does not"]) {
    var both = ofA
    try both.merge(estimation.residuals(of: orders, in: ShardImages(of: b)))
    _ = try estimation.influences(of: both, in: ShardImages(of: tokens(3)))
  }
  var all = ofA
  expect(["twice"]) { try all.merge(ofA) }
  try all.merge(estimation.residuals(of: orders, in: ShardImages(of: b)))
  expect(["residual sums of the second phase", "influences"]) { _ = try estimation.profiles(all) }
  expect(["other contents", "every phase takes the same"]) {
    _ = try ShardedEstimation(both, hash: "another").influences(of: all, in: ShardImages(of: a))
  }
  let influences = try estimation.influences(of: all, in: ShardImages(of: a))
  expect(["phase is influences"]) { try all.merge(influences) }
  expect(["t2.h5 are missing"]) { _ = try estimation.profiles(influences) }
  var whole = influences
  try whole.merge(estimation.influences(of: all, in: ShardImages(of: b)))
  expect(["has no sums for halton", "raster"]) {
    _ = try estimation.profiles(
      whole, of: [OrderSpecification("halton").order(on: grid, tokensPerStep: 2)])
  }
  expect(["jitter 0.0", "no --jitter"]) {
    _ = try ShardedEstimation(both, hash: "m", jitter: 0.1).profiles(whole)
  }
  expect(["no means of classes"]) {
    _ = try ShardedEstimation(stored(a, withClasses: false), hash: "m", givenClass: true)
  }
  #expect(try estimation.profiles(whole).count == 1)
}

/// Cut short anywhere, a file is refused in a sentence that names it.
@Test(arguments: [1, 3])
func filesThatAreCutShortAreRefused(_ phase: Int) throws {
  try inTemporaryFolder { folder in
    let (whole, path) = (folder + "/whole.h5", folder + "/cut.h5")
    if phase == 1 {
      try stored(tokens()).write(to: whole, createdBy: "test")
    } else {
      try sums(tokens(), phase: phase).write(to: whole, createdBy: "test")
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
    for share in [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99] {
      try bytes.prefix(Int(share * Double(bytes.count))).write(to: URL(fileURLWithPath: path))
      expect(["cut.h5"]) {
        if phase == 1 {
          _ = try StoredMoments(contentsOf: path)
        } else {
          _ = try StoredResiduals(contentsOf: path)
        }
      }
    }
  }
}

@Test func otherFilesAreRefused() throws {
  try inTemporaryFolder { folder in
    let (moments, residuals) = (folder + "/m.h5", folder + "/r.h5")
    try stored(tokens()).write(to: moments, createdBy: "test")
    try sums(tokens(), phase: 2).write(to: residuals, createdBy: "test")
    expect(["m.h5", "token-moments", "residual sums"]) {
      _ = try StoredResiduals(contentsOf: moments)
    }
    expect(["r.h5", "token-residuals", "moments"]) { _ = try StoredMoments(contentsOf: residuals) }
    let dataset = folder + "/t.h5"
    try tokens().write(to: dataset)
    expect(["t.h5", "token-dataset"]) { _ = try StoredMoments(contentsOf: dataset) }
    try Data("no HDF5".utf8).write(to: URL(fileURLWithPath: folder + "/x.h5"))
    expect(["x.h5", "not an HDF5 file"]) { _ = try SumKind(folder + "/x.h5") }
    let other = folder + "/v.h5"
    let root = try HDF5Group.createFile(other)
    try root.setAttribute("format", "token-moments")
    try root.setAttribute("format_version", 2)
    try root.flush()
    expect(["v.h5", "format_version is 2", "version 1"]) {
      _ = try StoredMoments(contentsOf: other)
    }
  }
}

/// Processors differ in the last bits of the number that sums are taken about.
@Test func sumsAboutOtherNumbersAreTheSame() {
  let values = (0..<40).map { Double(($0 * 7919) % 101) / 10 }
  let starts = (0..<40).map { UInt8($0 % 3 == 0 ? 1 : 0) }
  var all = RunSums(shift: 5)
  all.add(values, starts: starts[...])
  var first = RunSums(shift: 5)
  first.add(Array(values[..<18]), starts: starts[..<18])
  var second = RunSums(shift: 4.3)
  second.add(Array(values[18...]), starts: starts[18...])
  first.add(second)
  for (a, b) in zip(first.numbers, all.numbers) { #expect(abs(a - b) < 1e-10) }
  #expect(abs(first.standardError - all.standardError) < 1e-12)
}

/// Arrays carry their labels and photographs with them: what differs in these is another source.
@Test func labelsBelongToASource() throws {
  let (with, without) = (try tokens(labels: true), try tokens(labels: false))
  #expect(
    try ShardImages(of: with).part.sourceHash != ShardImages(of: without).part.sourceHash)
}

/// Files that were edited hold numbers that no images have.
@Test(arguments: ["negative counts", "no residuals", "other images"])
func sumsThatNoImagesHaveAreRefused(_ change: String) throws {
  let estimation = try ShardedEstimation(stored(tokens()), hash: "m")
  var sums = try sums(tokens(), phase: 3)
  switch change {
  case "negative counts":
    let row = try #require(sums.influences?.sums[0][0].numbers)
    sums.influences?.sums[0][0] = RunSums(numbers: ([-60] + row.dropFirst())[...])
  case "no residuals":
    sums.residuals[0] = Array(repeating: 0, count: sums.residuals[0].count)
  default:
    sums = StoredResiduals(
      name: sums.name, momentsHash: "m", isGivenClass: false, jitter: 0, orders: sums.orders,
      parts: sums.parts, imageCount: 3, residuals: sums.residuals, influences: sums.influences)
  }
  try inTemporaryFolder { folder in
    try sums.write(to: folder + "/r.h5", createdBy: "test")
    expect(["r.h5"]) {
      _ = try estimation.profiles(StoredResiduals(contentsOf: folder + "/r.h5"))
    }
  }
}
