import Files
import LinearAlgebra

/// The tensors of a checkpoint that `torch.save` wrote (PyTorch 1.6 and later): a zip archive with
/// a restricted pickle.
///
/// Nothing of the pickle is run; see ``TorchError/forbidden(file:name:)`` for what is refused.
/// Tensors in nested dictionaries have names joined by dots, as in `model.encoder.conv_in.weight`;
/// other values are passed over.
public struct TorchCheckpoint: TensorSource {
  /// The path as the user typed it.
  public let path: String
  private let archive: ZipArchive
  private let folder: String
  private let tensors: [String: TorchPickle.Tensor]

  /// Opens a file and reads the description of its tensors.
  ///
  /// - Throws: ``TorchError``, ``ZipError`` or ``TokenDataError``.
  /// - Complexity: O(number of tensors); none is read.
  public init(path: String) throws {
    try self.init(Self.archive(path) { try ZipArchive(path: path) }, path: path)
  }

  /// Reads a checkpoint in memory.
  ///
  /// - Throws: ``TorchError`` or ``ZipError``.
  public init(bytes: [UInt8], name: String) throws {
    try self.init(
      Self.archive(name) { try ZipArchive(bytes: bytes, name: name) }, path: name)
  }

  /// Says that a file is no checkpoint, rather than no zip archive.
  private static func archive(
    _ path: String, _ open: () throws -> ZipArchive
  ) throws -> ZipArchive {
    do {
      return try open()
    } catch ZipError.notZip(_, let reason) {
      switch FileContent(ofFileAt: path) {
      case .zip: throw TorchError.cutShort(file: path)
      case .legacyPickle, .other: throw TorchError.notArchive(file: path, reason: reason)
      case let content:
        throw FileError.otherContent(
          path, found: content.explanation ?? "", expected: "a PyTorch checkpoint")
      }
    }
  }

  private init(_ archive: ZipArchive, path: String) throws {
    self.path = path
    self.archive = archive
    let pickles = archive.memberNames.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard let pickle = pickles.min(by: { $0.count < $1.count }) else {
      throw TorchError.noPickle(file: path)
    }
    folder = String(pickle.dropLast("data.pkl".count))
    if archive.contains(folder + "byteorder"),
      try archive.read(folder + "byteorder", limit: 64).starts(with: "big".utf8)
    {
      throw TorchError.bigEndian(file: path)
    }
    tensors = try TorchPickle(
      archive.read(pickle, limit: TorchPickle.largestPickle), file: path
    ).tensors
  }

  /// The names of all tensors, sorted.
  public var tensorNames: [String] { tensors.keys.sorted() }

  /// The extents of a tensor, outermost first; nil where there is no such tensor.
  public func shape(of name: String) -> [Int]? { tensors[name]?.shape }

  /// The numbers of a floating-point tensor, row-major.
  ///
  /// - Throws: ``TorchError`` or ``ZipError``.
  /// - Complexity: reads the tensor's whole storage.
  public func floats(_ name: String) throws -> [Float] {
    guard let tensor = tensors[name] else {
      throw TorchError.missingTensor(file: path, tensor: name)
    }
    guard let width = tensor.floatBytes else {
      throw TorchError.wrongType(file: path, tensor: name, type: tensor.storageType)
    }
    guard let extent = tensor.extent else {
      throw TorchError.outsideStorage(
        file: path, tensor: name, shape: tensor.shape, strides: tensor.strides,
        storage: tensor.storageCount)
    }
    let member = folder + "data/" + tensor.key
    let found = try archive.size(of: member)
    do {
      try FileClaim.check(
        FileClaim.bytes([tensor.storageCount], each: width), storedAs: found)
    } catch {
      throw TorchError.shortStorage(
        file: path, tensor: name, found: found,
        expected: tensor.storageCount.multipliedReportingOverflow(by: width).partialValue)
    }
    // Only the tensor's own part is kept, whatever else the storage claims to hold.
    let bytes = try archive.read(
      member, range: width * extent.lowerBound..<width * extent.upperBound)
    var part = tensor
    part.offset = 0
    return part.isContiguous
      ? values(bytes, part.storageType, 0..<part.elementCount)
      : values(bytes, part.storageType, part.places)
  }

  private func values(
    _ bytes: [UInt8], _ type: String, _ places: some Collection<Int>
  ) -> [Float] {
    bytes.withUnsafeBytes { bytes in
      switch type {
      case "FloatStorage":
        return places.map {
          Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
        }
      case "DoubleStorage":
        return places.map {
          let bits = bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)
          return Float(Double(bitPattern: UInt64(littleEndian: bits)))
        }
      default:
        let halves = places.map {
          UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
        }
        return type == "HalfStorage"
          ? HalfPrecision.widenFloat16(halves) : HalfPrecision.widenBFloat16(halves)
      }
    }
  }
}

extension TorchPickle.Tensor {
  /// The bytes of a floating-point number; nil for other numbers.
  fileprivate var floatBytes: Int? {
    switch storageType {
    case "FloatStorage": 4
    case "DoubleStorage": 8
    case "HalfStorage", "BFloat16Storage": 2
    default: nil
    }
  }

  /// The most elements of a tensor that repeats numbers of its storage: 2²⁶.
  private static let largestRepeated = 1 << 26

  /// The part of the storage that the elements are in; nil where one is outside it, or where the elements repeat a few numbers
  /// more often than memory should be given for.
  fileprivate var extent: Range<Int>? {
    if shape.contains(0) { return offset <= storageCount ? offset..<offset : nil }
    let limit = max(storageCount, Self.largestRepeated)
    guard (try? FileClaim.bytes(shape, limit: limit)) != nil else { return nil }
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let step = (extent - 1).multipliedReportingOverflow(by: stride)
      let sum = last.addingReportingOverflow(step.partialValue)
      guard !step.overflow, !sum.overflow else { return nil }
      last = sum.partialValue
    }
    return last < storageCount ? offset..<last + 1 : nil
  }

  fileprivate var elementCount: Int { shape.reduce(1, *) }

  /// Whether the elements follow each other in the storage.
  fileprivate var isContiguous: Bool {
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() {
      guard stride == expected || extent == 1 else { return false }
      expected *= extent
    }
    return true
  }

  /// The places of the elements in the storage, row-major.
  fileprivate var places: [Int] {
    guard !shape.contains(0) else { return [] }
    var places = [offset]
    for (extent, stride) in zip(shape, strides) {
      places = places.flatMap { place in (0..<extent).map { place + $0 * stride } }
    }
    return places
  }
}

/// The tensors of a checkpoint in any of the forms that are read: `.pt`, `.safetensors`, or an
/// index of several.
public enum TensorFile {
  /// Opens a file by its content: zip archives and pickles are PyTorch's, everything else safetensors; where the content does
  /// not tell, `.pt`, `.pth`, `.ckpt` and `.bin` are PyTorch's.
  ///
  /// - Throws: an error that names the file and what is wrong with it.
  public static func open(_ path: String) throws -> any TensorSource {
    let isTorch = [".pt", ".pth", ".ckpt", ".bin"].contains { path.lowercased().hasSuffix($0) }
    switch FileContent(ofFileAt: path) {
    case .zip, .legacyPickle: return try TorchCheckpoint(path: path)
    case .other:
      return isTorch && !SafetensorsFile.startsAsHeader(path)
        ? try TorchCheckpoint(path: path) : try SafetensorsCheckpoint(path: path)
    case let content:
      throw FileError.otherContent(
        path, found: content.explanation ?? "", expected: "a checkpoint (.safetensors or .pt)")
    }
  }
}
