/// Why a checkpoint is not a VQ-16 tokenizer, or cannot take this input.
public enum VQError: Error, Equatable {
  /// There is no such tensor, under any of the prefixes that checkpoints use.
  case missingTensor(file: String, tensor: String)
  /// A tensor of a shape that does not fit its neighbours; 0 stands for any extent.
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  /// A number of channels that does not divide into the groups of the normalisation.
  case ungroupedChannels(file: String, tensor: String, channels: Int, groups: Int)
  /// A tensor that no part of the network uses: another architecture.
  case unknownTensor(file: String, tensor: String)
  /// A number that is NaN or infinite.
  case notFinite(file: String, tensor: String)
  /// An image whose sides the network cannot halve as often as it has to.
  case imageSize(height: Int, width: Int, factor: Int)
  /// A code that is no row of the codebook.
  case codeOutsideCodebook(code: UInt32, codebookSize: Int)
  /// A file of tokens of another codebook, or of none.
  case otherCodebook(file: String, found: Int?, expected: Int)
  /// A file of tokens of another codebook with as many entries.
  case otherEntries(file: String, entry: Int)
  /// The network's output is NaN or infinite.
  case outputNotFinite(file: String)
}

extension VQError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .missingTensor(let file, let tensor):
      "\(file): not a VQ-16 tokenizer: there is no tensor \(tensor)"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor \(tensor) has the shape \(found); expected"
        + " [\(expected.map { $0 == 0 ? "any" : "\($0)" }.joined(separator: ", "))]"
    case .ungroupedChannels(let file, let tensor, let channels, let groups):
      "\(file): tensor \(tensor) has \(channels) channels; a multiple of \(groups) is expected"
    case .unknownTensor(let file, let tensor):
      "\(file): tensor \(tensor) belongs to no part of a VQ-16 tokenizer; another architecture?"
    case .notFinite(let file, let tensor):
      "\(file): tensor \(tensor) has a number that is not finite"
    case .imageSize(let height, let width, let factor):
      "an image of \(width)x\(height) pixels cannot be encoded; both sides have to be multiples of"
        + " \(factor)"
    case .codeOutsideCodebook(let code, let size):
      "the code \(code) cannot be decoded; the codebook has \(size) entries"
    case .otherCodebook(let file, let found, let expected):
      "\(file): \(found.map { "the codebook has \($0) entries" } ?? "the tokens have no codebook");"
        + " the tokenizer has \(expected)"
    case .otherEntries(let file, let entry):
      "\(file): entry \(entry) of the codebook is not the tokenizer's; another tokenizer made these tokens"
    case .outputNotFinite(let file):
      "\(file): the network's output is not finite; its weights are damaged or too large"
    }
  }
}
