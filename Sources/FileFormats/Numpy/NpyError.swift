/// Why a `.npy` array could not be read.
///
/// `file` is the path as the user typed it; for a member of an archive, the path, a colon and the
/// member's name.
public enum NpyError: Error, Equatable {
  /// The first bytes are not those of the format.
  case notNpy(file: String)
  /// A version of the format that is not known.
  case unknownVersion(file: String, major: Int, minor: Int)
  /// The file ends before its header does.
  case truncatedHeader(file: String, found: Int, expected: Int)
  /// A header longer than any that describes an array of numbers.
  case oversizedHeader(file: String, bytes: Int)
  /// Text that is not the dictionary the format asks for.
  case malformedHeader(file: String, offset: Int, expected: String)
  /// Python objects, which only Python can read.
  case pythonObjects(file: String)
  /// Elements that are no numbers this program reads.
  case unsupportedType(file: String, type: String)
  /// More elements than memory can address.
  case impossibleShape(file: String, shape: [Int])
  /// Fewer or more bytes than the shape needs.
  case wrongSize(file: String, shape: [Int], type: String, found: Int, expected: Int)
  /// Numbers of a kind that does not serve here.
  case wrongType(file: String, type: String, expected: String)
  /// A shape that does not serve here.
  case wrongShape(file: String, found: [Int], expected: String)
  /// The first index runs fastest, where elements are read as they come.
  case fortranOrder(file: String)
  /// A whole number that does not fit 64 bits with a sign.
  case integerTooLarge(file: String, element: Int, value: UInt64)
}

extension NpyError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .notNpy(let file):
      "\(file): not a .npy file; it does not begin with \\x93NUMPY"
    case .unknownVersion(let file, let major, let minor):
      "\(file): version \(major).\(minor) of the .npy format; versions 1.0, 2.0 and 3.0 are read"
    case .truncatedHeader(let file, let found, let expected):
      "\(file): cut short inside its header: \(found) bytes, at least \(expected) are expected"
    case .oversizedHeader(let file, let bytes):
      "\(file): its header would be \(bytes) bytes long; at most \(NpyHeader.largestHeader) are read"
    case .malformedHeader(let file, let offset, let expected):
      "\(file): the header is corrupt at byte \(offset): expected \(expected)"
    case .pythonObjects(let file):
      "\(file): holds pickled Python objects, such as a dictionary, which are not read; save the array of numbers in it"
    // What numpy makes of a type that it does not know, such as the bfloat16 of an extension.
    case .unsupportedType(let file, let type) where type.hasSuffix("V2"):
      "\(file): the elements are of type \(type), two bytes without a meaning, as bfloat16 is saved; save them as float32"
    case .unsupportedType(let file, let type):
      "\(file): the elements are of type \(type); whole or floating-point numbers are expected"
    case .impossibleShape(let file, let shape):
      "\(file): the shape \(NpyHeader.tuple(shape)) has more elements than memory can hold"
    case .wrongSize(let file, let shape, let type, let found, let expected):
      "\(file): an array \(NpyHeader.tuple(shape)) of \(type) is \(expected) bytes long,"
        + " but \(found) follow the header; the file is cut short or corrupt"
    case .wrongType(let file, let type, let expected):
      "\(file): the elements are of type \(type); \(expected) are expected"
    case .wrongShape(let file, let found, let expected):
      "\(file): has the shape \(NpyHeader.tuple(found)); \(expected) is expected"
    case .fortranOrder(let file):
      "\(file): is in Fortran's order, whose first index runs fastest; save numpy.ascontiguousarray of it"
    case .integerTooLarge(let file, let element, let value):
      "\(file): element \(element) is \(value), more than a signed 64-bit number can hold"
    }
  }
}
