import FileFormats
import Files

/// Writes images as the evaluator of ADM reads them: an `.npz` archive with `arr_0`, unsigned bytes N × rows × columns × 3,
/// and the classes as `arr_1`, where they are known.
///
/// The images pass through one by one. Until ``finish(labels:)`` a file of that name stays as it was. (Format: `evaluator.py`
/// and `image_sample.py` of openai/guided-diffusion.)
///
/// Not safe to use from several threads at once.
public final class ImageArchiveWriter {
  /// N, the images there will be.
  public let count: Int
  /// The pixels of every image in a row.
  public let width: Int
  /// The rows of every image.
  public let height: Int
  private let npz: NpzWriter

  /// Finds out that the file can be written.
  ///
  /// - Throws: `FileError.unwritable`.
  public init(path: String, count: Int, width: Int, height: Int) throws(FileError) {
    (self.count, self.width, self.height) = (count, width, height)
    npz = try NpzWriter(path: path)
    try npz.beginBytes("arr_0", shape: [count, height, width, 3])
  }

  /// Appends an image.
  ///
  /// - Throws: `FileError.unwritable`, as when the disk is full.
  /// - Precondition: it has the size of all, and there are not ``count`` already.
  public func append(_ image: RGBImage) throws(FileError) {
    precondition(image.width == width && image.height == height, "images of one archive are equal")
    try npz.append(image.pixels)
  }

  /// Adds the classes and puts the file in its place.
  ///
  /// - Parameter labels: the class of every image; nil where they are not known.
  /// - Throws: `FileError.unwritable`; then nothing is left behind.
  /// - Precondition: all images are there.
  public func finish(labels: [Int64]? = nil) throws(FileError) {
    if let labels {
      precondition(labels.count == count, "every image has a class")
      try npz.write("arr_1", labels, shape: [count])
    }
    try npz.finish()
  }
}
