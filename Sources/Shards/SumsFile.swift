import FileFormats
import Files
import Foundation
import TokenGrids

/// What files of moments and of residual sums have in common.
enum SumsFile {
  /// What a file holds.
  enum Kind: String {
    case moments = "token-moments"
    case residuals = "token-residuals"

    var name: String {
      switch self {
      case .moments: "moments, as `moments accumulate` writes them, are"
      case .residuals: "residual sums, as `moments residuals` writes them, are"
      }
    }
  }

  static let version = 1

  /// Writes a file beside its final name and gives it that name when it is whole.
  ///
  /// - Throws: `FileError` when it cannot be written.
  static func write(_ kind: Kind, to path: String, _ body: (HDF5Group) throws -> Void) throws {
    let replacement = try OutputFile(path: path)
    let output = HDF5Output(descriptor: replacement.descriptor)
    do {
      let root = try HDF5Group.createFile(output)
      try root.setAttribute("format", kind.rawValue)
      try root.setAttribute("format_version", version)
      try body(root)
      try root.flush()
    } catch let failure as HDF5Failure {
      throw FileError.unwritable(path, reason: output.reason ?? failure.description)
    }
    // Closing the file has written what was left.
    if let reason = output.reason { throw FileError.unwritable(path, reason: reason) }
    try replacement.commit()
  }

  /// Reads a file of a kind.
  ///
  /// - Throws: ``ShardError`` that names the file and what is wrong with it.
  static func read<Result>(
    _ kind: Kind, from path: String, _ body: (HDF5Group) throws -> Result
  ) throws -> Result {
    try reportingDamage(to: path) {
      let root = try open(path, expected: "\(kind.name)")
      let found = try root.stringAttribute("format")
      guard found == kind.rawValue else {
        throw ShardError.otherContent(
          path, found: Self.text(ofFormat: found), expected: kind.name)
      }
      let version = try root.integerAttribute("format_version")
      guard version == Self.version else {
        throw ShardError.otherVersion(path, found: version.map(String.init) ?? "not a number")
      }
      return try body(root)
    }
  }

  /// What a file says that it holds.
  ///
  /// - Throws: ``ShardError`` for other files.
  static func kind(of path: String) throws -> Kind {
    try reportingDamage(to: path) {
      let expected = "moments or residual sums are"
      let found = try open(path, expected: expected).stringAttribute("format")
      guard let kind = found.flatMap(Kind.init) else {
        throw ShardError.otherContent(
          path, found: Self.text(ofFormat: found), expected: expected)
      }
      return kind
    }
  }

  private static func text(ofFormat found: String?) -> String {
    found.map { "the attribute format is \"\($0)\"" } ?? "it has no attribute format"
  }

  private static func open(_ path: String, expected: String) throws -> HDF5Group {
    try checkIsReadableFile(path)
    guard HDF5Group.isHDF5(path) else {
      throw ShardError.otherContent(path, found: "is not an HDF5 file", expected: expected)
    }
    return try .openFile(path)
  }

  private static func reportingDamage<Result>(
    to path: String, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let refusal as HDF5Refusal {
      throw ShardError.inconsistent(path, reason: "/\(refusal.dataset) \(refusal.reason)")
    } catch let failure as HDF5Failure {
      throw ShardError.damaged(path, reason: failure.description)
    } catch let damage as HDF5Damage {
      throw ShardError.damaged(path, reason: damage.description)
    }
  }
}

/// A file that is read, with its name for messages.
struct SumsReader {
  let root: HDF5Group
  let path: String
  /// The group's name with a slash behind it; empty for the root.
  var group = ""

  /// More images than anybody has; sums of as many do not overflow.
  private static let most: Int64 = 1 << 40

  func fail(_ reason: String) -> ShardError { .inconsistent(path, reason: reason) }

  /// A dataset of numbers with given extents; nil for any in the first.
  func dataset(_ name: String, shape: [Int?]) throws -> HDF5Dataset {
    guard let dataset = try root.dataset(name) else { throw fail("/\(group)\(name) is missing") }
    guard dataset.shape.count == shape.count,
      zip(dataset.shape, shape).allSatisfy({ $1 == nil || $0 == $1 }), dataset.kind.isNumber
    else {
      let wanted = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      let found = dataset.shape.map(String.init).joined(separator: ", ")
      throw fail(
        "/\(group)\(name) has the extents (\(found)); numbers of the extents (\(wanted)) are expected"
      )
    }
    return dataset
  }

  /// Finite numbers.
  func numbers(_ name: String, shape: [Int?]) throws -> [Double] {
    let dataset = try dataset(name, shape: shape)
    let values = try dataset.read(rows: 0..<dataset.rowCount, as: Double.self)
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw fail("number \(bad) of /\(group)\(name) is \(values[bad])")
    }
    return values
  }

  /// Numbers that count something.
  func counts(_ name: String, shape: [Int?]) throws -> [Int] {
    let dataset = try dataset(name, shape: shape)
    guard dataset.kind.isInteger else { throw fail("/\(group)\(name) holds no whole numbers") }
    let values = try dataset.read(rows: 0..<dataset.rowCount, as: Int64.self)
    if let bad = values.first(where: { !(0...Self.most).contains($0) }) {
      throw fail("/\(self.group)\(name) holds \(bad)")
    }
    return values.map(Int.init)
  }

  func texts(_ name: String) throws -> [String] {
    guard let dataset = try root.dataset(name), case .string = dataset.kind else {
      throw fail("/\(group)\(name), a list of strings, is missing")
    }
    return try dataset.readStrings()
  }

  /// A whole number that is at least so much.
  func count(_ attribute: String, atLeast least: Int) throws -> Int {
    guard let value = try root.integerAttribute(attribute), value >= least, value <= Self.most
    else {
      throw fail("the attribute \(attribute) is no whole number from \(least)")
    }
    return value
  }

  func text(_ attribute: String) throws -> String {
    guard let value = try root.stringAttribute(attribute) else {
      throw fail("the attribute \(attribute) is missing")
    }
    return value
  }

  func grid() throws -> TokenGrid {
    let sides = try counts("grid", shape: [3])
    var product = 1
    for side in sides {
      let (next, overflow) = product.multipliedReportingOverflow(by: side)
      guard side > 0, !overflow, next <= 1 << 24 else { throw fail("/grid is not that of tokens") }
      product = next
    }
    return TokenGrid(frames: sides[0], rows: sides[1], columns: sides[2])
  }

  func parts() throws -> ShardParts {
    let (sources, hashes) = (try texts("parts/source"), try texts("parts/source_hash"))
    let images = try counts("parts/images", shape: [nil, 3])
    guard !sources.isEmpty, sources.count == hashes.count, images.count == 3 * sources.count else {
      throw fail("/parts has lists of different lengths")
    }
    let parts = try sources.indices.map { index in
      let (first, end, all) = (images[3 * index], images[3 * index + 1], images[3 * index + 2])
      guard first < end, end <= all else {
        throw fail("/parts/images has images \(first) to \(end) of \(all)")
      }
      return ShardPart(
        source: sources[index], sourceHash: hashes[index], images: first..<end, sourceCount: all)
    }
    return try ShardParts(parts, file: path)
  }
}

extension HDF5Group {
  func write(_ grid: TokenGrid) throws {
    try write([grid.frames, grid.rows, grid.columns].map(Int64.init), shape: [3], to: "grid")
  }

  func write(_ parts: ShardParts) throws {
    let group = try createGroup("parts")
    try group.write(parts.parts.map(\.source), to: "source")
    try group.write(parts.parts.map(\.sourceHash), to: "source_hash")
    try group.write(
      parts.parts.flatMap {
        [$0.images.lowerBound, $0.images.upperBound, $0.sourceCount].map(Int64.init)
      }, shape: [parts.parts.count, 3], to: "images")
  }
}

/// What a file of sums holds.
public enum SumKind: Sendable {
  /// ``StoredMoments``.
  case moments
  /// ``StoredResiduals``, of the second or the third phase.
  case residuals

  /// Looks into a file.
  ///
  /// - Throws: ``ShardError`` for other files.
  public init(_ path: String) throws {
    switch try SumsFile.kind(of: path) {
    case .moments: self = .moments
    case .residuals: self = .residuals
    }
  }
}
