import FileFormats

/// Images of one size that another program made: those of a folder, or an array of bytes (images, rows, columns, 3).
public struct ImageSet: Sendable {
  /// What to call them in messages: the path as the user typed it.
  public let source: String
  /// The number of images.
  public let count: Int
  /// The pixels of every image in a row.
  public let width: Int
  /// The rows of every image.
  public let height: Int
  private let contents: Contents

  private enum Contents: Sendable {
    case files([String])
    case array(NpyArray)
    case archive(path: String, array: String)
  }

  /// The name of the images in an archive that ADM's evaluator reads.
  public static let arrayName = "arr_0"

  /// How many images are in memory at a time.
  private static let runLength = 64

  /// Lists the JPEG and PNG images of a folder and the folders below it; the first says their size.
  ///
  /// - Throws: ``ImageError``.
  public init(folder path: String) throws {
    let files = try ImageFolder(path: path).entries.map(\.path).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    let first = try RGBImage(contentsOf: files[0])
    self.init(
      source: path, shape: [files.count, first.height, first.width], contents: .files(files))
  }

  /// Takes the images in an array.
  ///
  /// - Throws: `NpyError` for one of another shape or type.
  public init(_ array: NpyArray) throws(NpyError) {
    try Self.check(array.shape, array.type, array.name)
    self.init(source: array.name, shape: array.shape, contents: .array(array))
  }

  /// Takes the images of an archive, `arr_0`, which are read when they are asked for.
  ///
  /// - Throws: `ZipError`, or `NpyError` for an array of another shape or type.
  public init(archive path: String) throws {
    let stream = try NpzArchive(path: path).stream(Self.arrayName)
    try Self.check(stream.shape, stream.type, stream.name)
    self.init(
      source: path, shape: stream.shape, contents: .archive(path: path, array: Self.arrayName))
  }

  private init(source: String, shape: [Int], contents: Contents) {
    self.source = source
    (count, height, width) = (shape[0], shape[1], shape[2])
    self.contents = contents
  }

  private static func check(_ shape: [Int], _ type: NpyType, _ name: String) throws(NpyError) {
    guard shape.count == 4, shape[3] == 3, !shape.contains(0) else {
      throw .wrongShape(file: name, found: shape, expected: "(images, rows, columns, 3)")
    }
    guard type.kind == .unsignedInteger, type.byteCount == 1 else {
      throw .wrongType(
        file: name, type: type.description, expected: "images of unsigned bytes, |u1, 0 to 255,")
    }
  }

  /// Whether an array has the shape of images, whatever its type.
  public static func isShaped(_ shape: [Int]) -> Bool { shape.count == 4 && shape[3] == 3 }

  /// Reads the images in runs, from the first to the last, and hands them on; files are decoded on all cores.
  ///
  /// - Parameter body: Is told the number of the first image of a run, and its images.
  /// - Throws: ``ImageError``, also for an image of another size than the first, or what is wrong with the archive.
  /// - Complexity: O(pixels); a run is in memory at a time.
  public func forEachRun(_ body: (_ first: Int, _ images: [RGBImage]) throws -> Void) throws {
    let pixels = width * height * 3
    func images(_ bytes: [UInt8]) -> [RGBImage] {
      stride(from: 0, to: bytes.count, by: pixels).map {
        RGBImage(width: width, height: height, pixels: Array(bytes[$0..<$0 + pixels]))
      }
    }
    let runs = stride(from: 0, to: count, by: Self.runLength).map {
      $0..<min($0 + Self.runLength, count)
    }
    switch contents {
    case .files(let files):
      for run in runs {
        let results = parallelMap(Array(files[run])) { file in
          Result { try read(file, first: files[0]) }
        }
        try body(run.lowerBound, try results.map { try $0.get() })
      }
    case .array(let array):
      for run in runs {
        let values = try array.integers(run.lowerBound * pixels..<run.upperBound * pixels)
        try body(run.lowerBound, images(values.map { UInt8($0) }))
      }
    case .archive(let path, let array):
      let stream = try NpzArchive(path: path).stream(array)
      for run in runs {
        try body(run.lowerBound, images(try stream.next(run.count * pixels)))
      }
    }
  }

  private func read(_ file: String, first: String) throws -> RGBImage {
    let image = try RGBImage(contentsOf: file)
    guard image.width == width, image.height == height else {
      throw ImageError.otherSize(
        file, width: image.width, height: image.height, first: first, firstWidth: width,
        firstHeight: height)
    }
    return image
  }
}
