import PARTransformer
import TokenGrids

/// A way of generating whose model is trained and measured: an order, one by one or in groups, and the attention inside them.
///
/// Written as an order, `+one` behind it for its cells one by one, `+causal` for causal attention: `distant:n=16`,
/// `raster+one`, `distant+causal`.
package struct ComparisonConfiguration: Sendable {
  /// What the user wrote.
  package let name: String
  /// The order, its steps split where asked.
  package let order: GenerationOrder
  package let attention: AttentionPattern

  /// n.
  package var tokensPerStep: Int { order.tokensPerStep }

  /// The paper's FID of this configuration and where it is in the paper.
  package var paper: (fid: Double, model: String)? { Self.paperResults[name] }

  /// PAR, table 3(d) and the ablations around it (XL), and table 3(b) for n (XXL: 2.34, 2.35 and 3.02 for n = 1, 4 and 16).
  private static let paperResults: [String: (fid: Double, model: String)] = [
    "raster+one": (2.62, "XL"), "distant+one": (2.64, "XL"), "raster": (5.64, "XL"),
    "distant": (2.61, "XL"), "distant:initial=0": (3.67, "XL"), "distant:n=16": (3.02, "XXL"),
    "distant+causal": (3.64, "XL"),
  ]

  /// The paper's configurations; the four of table 3(d) first.
  package static let standard = [
    "raster+one", "distant+one", "raster", "distant", "distant:initial=0", "distant:n=16",
    "distant+causal",
  ]

  /// Those that are run with two seeds unless the user says how many: the four orders of table 3(d).
  static let repeated = Set(standard.prefix(4))

  /// How many models a configuration of this name has where so many are asked for; nil for the default.
  package static func models(of name: String, asked: Int?) -> Int {
    asked ?? (repeated.contains(name) ? 2 : 1)
  }

  func models(_ asked: Int?) -> Int { Self.models(of: name, asked: asked) }

  /// Reads a configuration.
  ///
  /// - Parameter readOrder: Makes the order of a text without those endings.
  /// - Throws: What `readOrder` throws, or `PARError` when no model can take the order's steps.
  package init(_ text: String, readOrder: (String) throws -> GenerationOrder) throws {
    var rest = text
    var (isSplit, isCausal) = (false, false)
    while true {
      if !isSplit, rest.hasSuffix("+one") {
        isSplit = true
        rest.removeLast("+one".count)
      } else if !isCausal, rest.hasSuffix("+causal") {
        isCausal = true
        rest.removeLast("+causal".count)
      } else {
        break
      }
    }
    let order = try readOrder(rest)
    self.order = isSplit ? order.sequentialized() : order
    attention = isCausal ? .causal : .groupwise
    name = text
    _ = try PARSequence(order: self.order, tokensPerStep: self.order.tokensPerStep)
  }
}
