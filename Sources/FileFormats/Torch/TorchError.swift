/// Why a PyTorch checkpoint could not be read.
public enum TorchError: Error, Equatable {
  /// The file is no zip archive: the form before PyTorch 1.6, or something else.
  case notArchive(file: String, reason: String)
  /// A zip archive that ends before its directory.
  case cutShort(file: String)
  /// An archive without the description of its tensors.
  case noPickle(file: String)
  /// The description asks for something that is no tensor: running it could do anything.
  case forbidden(file: String, name: String)
  /// An instruction that descriptions of tensors do not use.
  case unknownInstruction(file: String, code: UInt8, offset: Int)
  /// A description that cannot be followed.
  case malformed(file: String, offset: Int, reason: String)
  /// The outermost object is no dictionary.
  case noDictionary(file: String)
  /// A tensor that does not lie inside its storage.
  case outsideStorage(file: String, tensor: String, shape: [Int], strides: [Int], storage: Int)
  /// There is no such tensor.
  case missingTensor(file: String, tensor: String)
  /// Numbers of a type that does not serve here.
  case wrongType(file: String, tensor: String, type: String)
  /// Fewer bytes than the storage should have.
  case shortStorage(file: String, tensor: String, found: Int, expected: Int)
  /// Bytes in an order that is not read.
  case bigEndian(file: String)
}

extension TorchError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .notArchive(let file, let reason):
      "\(file): not a PyTorch checkpoint of version 1.6 or later (\(reason)); load it in PyTorch and"
        + " save it again"
    case .cutShort(let file):
      "\(file): a PyTorch checkpoint that is cut short: the end is missing, as after an interrupted download; fetch it again"
    case .noPickle(let file):
      "\(file): a zip archive without data.pkl; a checkpoint that torch.save wrote is expected"
    case .forbidden(let file, let name):
      "\(file): the checkpoint asks for \(name); only tensors in dictionaries are read, so save"
        + " the weights alone"
    case .unknownInstruction(let file, let code, let offset):
      "\(file): data.pkl has the instruction 0x\(String(code, radix: 16)) at byte \(offset), which"
        + " descriptions of tensors do not use"
    case .malformed(let file, let offset, let reason):
      "\(file): data.pkl is corrupt at byte \(offset): \(reason)"
    case .noDictionary(let file):
      "\(file): holds no dictionary of tensors"
    case .outsideStorage(let file, let tensor, let shape, let strides, let storage):
      "\(file): tensor \(tensor) of shape \(shape) and strides \(strides) does not lie inside its"
        + " storage of \(storage) numbers"
    case .missingTensor(let file, let tensor):
      "\(file): there is no tensor \(tensor)"
    case .wrongType(let file, let tensor, let type):
      "\(file): tensor \(tensor) is a torch.\(type); floating-point numbers are expected"
    case .shortStorage(let file, let tensor, let found, let expected):
      "\(file): the storage of tensor \(tensor) has \(found) bytes; \(expected) are expected"
    case .bigEndian(let file):
      "\(file): was written on a big-endian machine, whose byte order is not read"
    }
  }
}
