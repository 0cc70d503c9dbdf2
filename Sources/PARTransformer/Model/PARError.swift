import SystemResources
import TokenGrids

/// Why a model, an order and what is asked of them do not fit together.
public enum PARError: Error, Equatable {
  /// Extents that no model can have.
  case impossibleConfiguration(String)
  /// A checkpoint from whose shapes the number of heads cannot be told.
  case unknownHeads(file: String, layers: Int, width: Int)
  /// Another number of heads was asked for than the checkpoint says it has.
  case otherHeads(file: String, asked: Int, own: Int)
  /// Tensors that a checkpoint of its kind, `PAR` or `any-order`, does not have.
  case unexpectedTensors(file: String, kind: String = "PAR", names: [String])
  /// A tensor that is needed and not there.
  case missingTensor(file: String, tensor: String)
  /// A tensor of a shape that does not serve here; 0 stands for any extent.
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  /// Position embeddings whose number tells no grid.
  case unknownGrid(file: String, positions: Int)
  /// Position embeddings that cannot be resized to another grid.
  case cannotResize(from: TokenGrid, to: TokenGrid)
  /// Orders of one batch whose steps differ in size: the first that differs from the first order.
  case differentGroupSizes(order: String, first: String)
  /// A tensor of a layer that does not follow the others.
  case strayLayer(file: String, tensor: String, layers: Int)
  /// Two tensors that differ only in a wrapper's prefix.
  case ambiguousTensor(file: String, name: String, candidates: [String])
  /// A weight that is not a number, or infinite.
  case notFinite(file: String, tensor: String, index: Int)
  /// An order whose steps the model cannot take: the first that differs.
  case unsuitableOrder(
    order: String, tokensPerStep: Int, step: Int, found: Int, expected: String)
  /// A model whose transition tokens are for another number of tokens per step.
  case wrongTokensPerStep(asked: Int, model: Int)
  /// Heads too narrow for the three angles of a video's cells.
  case headTooNarrow(headWidth: Int, grid: TokenGrid)
  /// A label that is no class.
  case classOutOfRange(label: Int, classes: Int)
  /// A code that is not in the model's codebook.
  case codeOutOfRange(code: Int, image: Int, cell: GridCell, codes: Int)
  /// A list of another length than is needed.
  case wrongCount(of: String, found: Int, expected: Int)
  /// A sampling option outside its range.
  case badOption(name: String, value: String, expected: String)
  /// What does not fit into memory, and what would.
  case tooLittleMemory(InsufficientMemory, remedy: String)
  /// Logits that are not numbers.
  case logitsNotFinite(image: Int, token: Int)
}

extension PARError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .impossibleConfiguration(let reason): "impossible model: \(reason)"
    case .unknownHeads(let file, let layers, let width):
      "\(file): \(layers) layers of width \(width) are no published size, and neither the file's"
        + " metadata nor the shapes tell the number of heads; give it with --heads"
    case .otherHeads(let file, let asked, let own):
      "\(file): \(asked) heads were asked for, but the model says that it has \(own); leave --heads out"
    case .unexpectedTensors(let file, let kind, let names):
      "\(file): not \(kind == "PAR" ? "a" : "an") \(kind) checkpoint: unexpected tensor\(names.count == 1 ? "" : "s")"
        + " \(names.prefix(5).joined(separator: ", "))"
        + (names.count > 5 ? " and \(names.count - 5) more" : "")
    case .missingTensor(let file, let tensor):
      "\(file): there is no tensor \(tensor)"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor \(tensor) has the shape \(found); expected"
        + " [\(expected.map { $0 == 0 ? "any" : "\($0)" }.joined(separator: ", "))]"
    case .unknownGrid(let file, let positions):
      "\(file): pos_embed has \(positions) rows; expected one for the class and one for each cell of a"
        + " square grid, or metadata with the grid"
    case .cannotResize(let from, let to):
      "the model's position embeddings are for \(from) tokens and cannot be resized to \(to): only"
        + " those of images can"
    case .differentGroupSizes(let order, let first):
      "\(order): its steps have other sizes than those of \(first); orders of one batch have equal sizes"
    case .strayLayer(let file, let tensor, let layers):
      "\(file): tensor \(tensor) is of a layer that there is not: the file has"
        + (layers == 1 ? " layer 0 only" : " the layers 0 to \(layers - 1)")
    case .ambiguousTensor(let file, let name, let candidates):
      "\(file): tensor \(name) is there \(candidates.count) times: \(candidates.joined(separator: ", "))"
    case .notFinite(let file, let tensor, let index):
      "\(file): tensor \(tensor): element \(index) is not a finite number"
    case .unsuitableOrder(let order, let tokensPerStep, let step, let found, let expected):
      "\(order): step \(step) generates \(found) token\(found == 1 ? "" : "s"); a model with"
        + " \(tokensPerStep) tokens per step generates \(expected)"
    case .wrongTokensPerStep(let asked, let model):
      "\(asked) tokens per step were asked for, but the model has \(model - 1) transition tokens and"
        + " generates \(model) per step"
    case .headTooNarrow(let headWidth, let grid):
      "heads of width \(headWidth) have too few coordinate pairs for frame, row and column of the"
        + " \(grid) grid; expected a width of at least 8"
    case .classOutOfRange(let label, let classes):
      "class \(label) is out of range: the model has the classes 0 to \(classes - 1)"
    case .codeOutOfRange(let code, let image, let cell, let codes):
      "token \(cell) of image \(image) is \(code), but the model has \(codes) codes"
    case .wrongCount(let of, let found, let expected):
      "\(found) \(of) were given; expected \(expected)"
    case .badOption(let name, let value, let expected):
      "\(name) is \(value); expected \(expected)"
    case .tooLittleMemory(let lack, let remedy): "\(lack); \(remedy)"
    case .logitsNotFinite(let image, let token):
      "the model's output for token \(token) of image \(image) is not a finite number; its weights are"
        + " damaged or too large"
    }
  }
}
