import LinearAlgebra
import NeuralKernels
import SystemResources
import TokenGrids

/// An any-order transformer bound to a grid: weights, position embeddings and the memory for a forward pass.
///
/// A class, because it owns the key and value cache and the activations that every pass overwrites. One pass at a
/// time: it is not for use from several threads.
public final class AnyOrderTransformer {
  /// The parameters.
  public let weights: AnyOrderWeights
  /// The grid of tokens.
  public let grid: TokenGrid
  /// The number of sequences that can be computed at once.
  public let slots: Int
  private let team: WorkerTeam
  private let positions: FloatBuffer
  private let rotation: TransformerKernels.Rotation
  private let cache: AttentionCache
  private let mostRows: Int

  // Activations, rows × width unless said otherwise.
  private let residual: FloatBuffer
  private let normed: FloatBuffer
  private let queriesKeysValues: FloatBuffer
  private let attended: FloatBuffer
  private let hidden: FloatBuffer
  private let scratch: FloatBuffer
  /// Tokens × codes: the logits of the last pass, slot by slot.
  private let logitBuffer: FloatBuffer

  /// Binds weights to a grid, with room for `slots` sequences and `longestPass` rows of each in one pass.
  ///
  /// - Throws: ``PARError`` when the position embeddings cannot be resized to the grid, or memory does not suffice.
  public init(
    weights: AnyOrderWeights, grid: TokenGrid, slots: Int, longestPass: Int, team: WorkerTeam
  ) throws(PARError) {
    let configuration = weights.configuration
    (self.weights, self.grid, self.slots, self.team) = (weights, grid, slots, team)
    positions = try weights.positions(on: grid)
    let capacity = grid.cellCount + 1
    let rows = slots * longestPass
    mostRows = rows
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        AttentionCache.byteCount(
          layers: configuration.layers, slots: slots, capacity: capacity,
          heads: configuration.heads, headWidth: configuration.headWidth)
          + 4 * Double(rows) * Double(configuration.codes + 10 * configuration.width),
        for: "the keys and values of \(slots) sequences of \(capacity) positions")
    } catch {
      throw .tooLittleMemory(error, remedy: "generate fewer images at a time or on a smaller grid")
    }
    rotation = .identity(positions: capacity, pairs: configuration.headWidth / 2)
    cache = AttentionCache(
      layers: configuration.layers, slots: slots, capacity: capacity,
      heads: configuration.heads, headWidth: configuration.headWidth)
    let width = configuration.width
    residual = FloatBuffer(count: rows * width)
    normed = FloatBuffer(count: rows * width)
    queriesKeysValues = FloatBuffer(count: rows * 3 * width)
    attended = FloatBuffer(count: rows * width)
    hidden = FloatBuffer(count: rows * configuration.hiddenWidth)
    logitBuffer = FloatBuffer(count: rows * configuration.codes)
    scratch = FloatBuffer(
      count: max(
        WeightProduct.scratchCount(rows: rows, inputs: configuration.hiddenWidth, team: team),
        cache.scratchCount(rows: longestPass, team: team)))
  }

  /// Runs the model for one step of the first `labels.count` sequences.
  ///
  /// The passes of all earlier steps must have been run before; what they left in the cache is used. Known positions see
  /// everything known; mask tokens see that and each other, and their keys and values are overwritten by the next pass.
  ///
  /// - Parameters:
  ///   - labels: each sequence's class, or the null class.
  ///   - cell: the raster index of the cell at a place of a slot's sequence.
  ///   - token: the code at a place of a slot's sequence, for those known.
  /// - Complexity: O(rows · parameters + rows · positions so far · width · layers).
  public func forward(
    _ pass: AnyOrderPasses.Pass, labels: [Int], cell: (_ slot: Int, _ place: Int) -> Int,
    token: (_ slot: Int, _ place: Int) -> Int
  ) {
    let rows = labels.count * pass.rowCount
    precondition(rows <= mostRows && labels.count <= slots, "room for the pass")
    embed(pass, labels: labels, cell: cell, token: token)
    norm(residual, weights.inputNorm, rows: rows, into: residual)
    let span = pass.known.lowerBound..<pass.known.upperBound + pass.tokens.count
    let visible =
      pass.known.map { _ in Int32(pass.known.upperBound) }
      + pass.tokens.map { _ in Int32(span.upperBound) }
    for (index, layer) in weights.layers.enumerated() {
      norm(residual, layer.attentionNorm, rows: rows, into: normed)
      multiply(layer.queriesKeysValues, normed, rows: rows, into: queriesKeysValues)
      cache.attend(
        layer: index, qkv: queriesKeysValues, slots: labels.count, positions: span,
        rotation: rotation, visible: visible, into: attended, team: team, scratch: scratch)
      multiply(layer.attentionOutput, attended, rows: rows, into: residual, accumulate: true)
      norm(residual, layer.feedForwardNorm, rows: rows, into: normed)
      multiply(layer.up, normed, rows: rows, into: hidden, gelu: true)
      multiply(layer.down, hidden, rows: rows, into: residual, accumulate: true)
    }
    // Only what stands for tokens to be predicted goes through the head.
    let width = weights.configuration.width
    for slot in labels.indices {
      let first = (slot * pass.rowCount + pass.known.count) * width
      attended.copy(
        first..<first + pass.tokens.count * width, of: residual,
        to: slot * pass.tokens.count * width)
    }
    let predicted = labels.count * pass.tokens.count
    norm(attended, weights.norm, rows: predicted, into: normed)
    WeightProduct.multiply(
      weights.output, normed, rows: predicted, into: logitBuffer, team: team, scratch: scratch)
  }

  private func embed(
    _ pass: AnyOrderPasses.Pass, labels: [Int], cell: (Int, Int) -> Int,
    token: (Int, Int) -> Int
  ) {
    let configuration = weights.configuration
    let width = configuration.width
    func addPosition(_ row: Int, to offset: Int) {
      residual.add(row * width..<(row + 1) * width, of: positions, to: offset)
    }
    for (slot, label) in labels.enumerated() {
      var offset = slot * pass.rowCount * width
      for position in pass.known {
        if position == 0 {
          let isNull = label == configuration.nullClass
          (isNull ? weights.nullEmbedding : weights.classEmbedding)
            .copyRow(isNull ? 0 : label, to: residual, at: offset)
          addPosition(0, to: offset)
        } else {
          weights.tokenEmbedding.copyRow(token(slot, position - 1), to: residual, at: offset)
          addPosition(1 + cell(slot, position - 1), to: offset)
        }
        offset += width
      }
      for place in pass.tokens {
        residual.copy(0..<width, of: weights.maskEmbedding, to: offset)
        addPosition(1 + cell(slot, place), to: offset)
        offset += width
      }
    }
  }

  /// The logits of the last pass, slot by slot, token by token; overwritten by the next.
  var logits: PassLogits { PassLogits(buffer: logitBuffer, codes: weights.configuration.codes) }

  private func norm(
    _ x: FloatBuffer, _ norm: AnyOrderWeights.Norm, rows: Int, into out: FloatBuffer
  ) {
    TransformerKernels.layerNorm(
      x, weight: norm.weight, bias: norm.bias, rows: rows,
      epsilon: AnyOrderConfiguration.normEpsilon, into: out, team: team)
  }

  private func multiply(
    _ layer: AnyOrderWeights.Linear, _ x: FloatBuffer, rows: Int, into y: FloatBuffer,
    accumulate: Bool = false, gelu: Bool = false
  ) {
    WeightProduct.multiply(
      layer.matrix, x, rows: rows, into: y, accumulate: accumulate, team: team, scratch: scratch)
    TransformerKernels.addBias(layer.bias, to: y, rows: rows, gelu: gelu, team: team)
  }
}

extension AnyOrderTransformer {
  /// The logits of whole images whose tokens are all known, `images × N × K`, row-major; row k predicts the token at place
  /// k of the image's sequence from the tokens of earlier steps.
  ///
  /// - Parameters:
  ///   - codes: each image's N codes in raster order.
  ///   - labels: each image's class, or the null class.
  ///   - orders: each image's order.
  /// - Throws: ``PARError`` for a code or class out of range, or an order of another grid than the codes.
  /// - Complexity: O(N · parameters) an image.
  public static func teacherForcedLogits(
    weights: AnyOrderWeights, codes: [[Int]], labels: [Int], orders: [GenerationOrder],
    team: WorkerTeam
  ) throws(PARError) -> [[Float]] {
    for (what, count) in [("labels", labels.count), ("orders", orders.count)]
    where count != codes.count {
      throw .wrongCount(of: what, found: count, expected: codes.count)
    }
    let configuration = weights.configuration
    var logits: [[Float]] = []
    for (index, image) in codes.enumerated() {
      let order = orders[index]
      try configuration.check(image, label: labels[index], index: index, grid: order.grid)
      let passes = AnyOrderPasses(groupSizes: order.steps.map(\.count))
      let model = try AnyOrderTransformer(
        weights: weights, grid: order.grid, slots: 1, longestPass: passes.longest, team: team)
      let sequence = order.sequence
      logits.append(
        passes.passes.flatMap { pass in
          model.forward(
            pass, labels: [labels[index]], cell: { sequence[$1] },
            token: { image[sequence[$1]] })
          return pass.tokens.indices.flatMap { model.logits[$0 - pass.tokens.lowerBound] }
        })
    }
    return logits
  }
}

extension AnyOrderConfiguration {
  /// Makes sure that an image's codes and its class are the model's.
  func check(_ codes: [Int], label: Int, index: Int, grid: TokenGrid) throws(PARError) {
    guard (0...nullClass).contains(label) else {
      throw .classOutOfRange(label: label, classes: classes)
    }
    guard codes.count == grid.cellCount else {
      throw .wrongCount(of: "codes", found: codes.count, expected: grid.cellCount)
    }
    for (cell, code) in codes.enumerated() where !(0..<self.codes).contains(code) {
      throw .codeOutOfRange(
        code: code, image: index, cell: grid.cell(at: cell), codes: self.codes)
    }
  }
}
