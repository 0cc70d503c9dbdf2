/// Why an image, or a folder of images, cannot be used.
public enum ImageError: Error, Equatable, CustomStringConvertible {
  /// There is nothing at this path.
  case missing(String)
  /// The file or folder exists, but may not be read.
  case unreadable(String, reason: String)
  /// The file starts neither as JPEG nor as PNG.
  case unknownFormat(String)
  /// The file starts as an image, but cannot be decoded to its end.
  case broken(String, reason: String)
  /// The image is smaller than the tokens need, and enlarging it was not asked for.
  case tooSmall(String, width: Int, height: Int, neededWidth: Int, neededHeight: Int)
  /// The image is not of the size of the others.
  case otherSize(
    String, width: Int, height: Int, first: String, firstWidth: Int, firstHeight: Int)
  /// The path names a file where a folder is wanted.
  case notAFolder(String)
  /// There is no image in the folder or its sub-folders.
  case noImages(String)
  /// A folder holds images beside sub-folders of images, so what the classes are is unclear.
  case mixedFolder(String, image: String, folder: String)
  /// Every image of the folder was left out.
  case noUsableImages(String, count: Int, first: String)

  /// What was found, what was expected and what to do, in one sentence.
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): there is no such file or folder"
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .unknownFormat(let path):
      "\(path): is neither a JPEG nor a PNG file"
    case .broken(let path, let reason):
      "\(path): is broken: \(reason)"
    case .tooSmall(let path, let width, let height, let neededWidth, let neededHeight):
      "\(path): has \(width)x\(height) pixels, and the grid needs \(neededWidth)x\(neededHeight); "
        + "choose smaller patches, or allow enlarging with --enlarge"
    case .otherSize(let path, let width, let height, let first, let firstWidth, let firstHeight):
      "\(path): has \(width)x\(height) pixels, and \(first) has \(firstWidth)x\(firstHeight); "
        + "only images of one size are compared"
    case .notAFolder(let path):
      "\(path): is a file; a folder of images is expected"
    case .noImages(let path):
      "\(path): holds no JPEG or PNG images, neither directly nor in sub-folders"
    case .mixedFolder(let path, let image, let folder):
      "\(path): holds images directly (\(image)) and in sub-folders (\(folder)); "
        + "put every image in a class folder, or none"
    case .noUsableImages(let path, let count, let first):
      "\(path): none of the \(count) images can be used; the first: \(first)"
    }
  }
}
