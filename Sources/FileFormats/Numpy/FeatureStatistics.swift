import Foundation
import LinearAlgebra

/// The mean and covariance of image features, as the tools that compute Fréchet distances exchange
/// them.
public struct FeatureStatistics: Hashable, Sendable {
  /// The mean, d numbers.
  public var mean: [Double]
  /// The covariance, d × d.
  public var covariance: Matrix

  /// Pairs a mean with a covariance.
  ///
  /// - Precondition: the covariance is d × d.
  public init(mean: [Double], covariance: Matrix) {
    precondition(
      covariance.rows == mean.count && covariance.columns == mean.count,
      "the covariance has the dimensions of the mean")
    self.mean = mean
    self.covariance = covariance
  }

  /// The most features whose covariance is read, 2 GiB of it.
  static let mostFeatures = 1 << 14

  /// Which features of an archive.
  public enum Features: String, CaseIterable, Sendable {
    /// `mu` and `sigma`: those of pytorch-fid, and the pooled ones of the ADM evaluator.
    case pooled = ""
    /// `mu_s` and `sigma_s`: the spatial ones of the ADM evaluator.
    case spatial = "_s"
  }

  /// Reads `mu` and `sigma` of an `.npz` archive; other arrays, such as the images of a batch, are
  /// not read.
  ///
  /// - Throws: ``ZipError``, ``NpyError`` or ``FeatureStatisticsError`` that names what is wrong.
  /// - Complexity: O(d²).
  public init(npz path: String, features: Features = .pooled) throws {
    try self.init(NpzArchive(path: path), features: features)
  }

  /// Reads the statistics of an archive.
  ///
  /// - Throws: ``ZipError``, ``NpyError`` or ``FeatureStatisticsError`` that names what is wrong.
  public init(_ archive: NpzArchive, features: Features = .pooled) throws {
    let (mu, sigma) = ("mu" + features.rawValue, "sigma" + features.rawValue)
    guard Set(archive.arrayNames).isSuperset(of: [mu, sigma]) else {
      throw FeatureStatisticsError.missing(
        file: archive.name, wanted: [mu, sigma], found: archive.arrayNames)
    }
    let mean = try archive.array(mu, largest: Self.mostFeatures)
    guard mean.shape.count == 1, mean.elementCount > 0 else {
      throw NpyError.wrongShape(file: mean.name, found: mean.shape, expected: "(features)")
    }
    let d = mean.elementCount
    let covariance = try archive.array(sigma, largest: d * d)
    guard covariance.shape == [d, d] else {
      throw NpyError.wrongShape(
        file: covariance.name, found: covariance.shape,
        expected: "(\(d), \(d)), as \(mu) has \(d) features,")
    }
    let (means, elements) = (mean.doubles(), covariance.doubles())
    if let bad = means.firstIndex(where: { !$0.isFinite }) {
      throw FeatureStatisticsError.notFinite(file: mean.name, element: bad, value: means[bad])
    }
    if let bad = elements.firstIndex(where: { !$0.isFinite }) {
      throw FeatureStatisticsError.notFinite(
        file: covariance.name, element: bad, value: elements[bad])
    }
    let scale = elements.reduce(0) { max($0, abs($1)) }
    for i in 0..<d {
      for j in 0..<i where abs(elements[i * d + j] - elements[j * d + i]) > 1e-5 * scale {
        throw FeatureStatisticsError.asymmetric(file: covariance.name, row: i, column: j)
      }
    }
    self.init(
      mean: means, covariance: Matrix(rows: d, columns: d, elements: elements))
  }

  /// Writes `mu` and `sigma` in double precision, as pytorch-fid does, in place of a file that may
  /// be there.
  ///
  /// - Throws: ``FileError/unwritable(_:reason:)``; then nothing is left behind.
  public func write(npz path: String) throws {
    try NpzArchive.write(arrays, to: path)
  }

  /// `mu` and `sigma`.
  var arrays: [(name: String, npy: Data)] {
    let d = mean.count
    return [
      ("mu", NpyWriter.bytes(mean, shape: [d])),
      ("sigma", NpyWriter.bytes(covariance.elements, shape: [d, d])),
    ]
  }
}

/// Why an archive holds no statistics.
public enum FeatureStatisticsError: Error, Equatable, CustomStringConvertible {
  /// The arrays are not there.
  case missing(file: String, wanted: [String], found: [String])
  /// A number is NaN or infinite.
  case notFinite(file: String, element: Int, value: Double)
  /// A covariance that is no covariance.
  case asymmetric(file: String, row: Int, column: Int)
  /// Statistics of another program, which do not say of how many samples they are.
  case uncounted(file: String)
  /// What says where statistics come from is of another version.
  case otherVersion(file: String, found: Int)
  /// What says where statistics come from contradicts itself.
  case badOrigin(file: String, reason: String)

  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .missing(let file, let wanted, let found):
      "\(file): has the arrays \(found.joined(separator: ", ")); \(wanted.joined(separator: " and "))"
        + " are expected"
    case .notFinite(let file, let element, let value):
      "\(file): element \(element) is \(value); finite numbers are expected"
    case .asymmetric(let file, let row, let column):
      "\(file): elements (\(row), \(column)) and (\(column), \(row)) differ; a covariance is symmetric"
    case .uncounted(let file):
      "\(file): has mu and sigma and no number of samples, so nothing can be added to them; only files of"
        + " `fid-compare statistics` can"
    case .otherVersion(let file, let found):
      "\(file): statistics of version \(found); version 1 is expected"
    case .badOrigin(let file, let reason):
      "\(file): says that it is of \(reason), which cannot be"
    }
  }
}
