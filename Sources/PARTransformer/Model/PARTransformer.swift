import LinearAlgebra
import NeuralKernels
import SystemResources

/// A PAR transformer bound to one sequence: weights, mask, rotary table and the memory for a forward pass.
///
/// A class, because it owns the key and value cache and the activations that every pass overwrites. One pass at a
/// time: it is not for use from several threads.
public final class PARTransformer {
  /// What computes the matrix products.
  public enum Products: Sendable {
    /// `WeightProduct`: a sequence's results do not depend on how many are computed at once.
    case independent
    /// OpenBLAS above ``mostRowsOfWeightProducts`` rows, where arithmetic and not memory is the limit.
    case fastest
  }

  /// The rows up to which ``WeightProduct`` beats OpenBLAS.
  public static let mostRowsOfWeightProducts = 32

  /// The parameters.
  public let weights: PARWeights
  /// The sequence the model reads.
  public let sequence: PARSequence
  /// The number of sequences that can be computed at once.
  public let slots: Int
  private let products: Products
  private let team: WorkerTeam
  private let visible: [Int32]
  private let rotation: TransformerKernels.Rotation
  private let cache: AttentionCache
  private let mostRows: Int

  // Activations, rows × width unless said otherwise.
  private let residual: FloatBuffer
  private let normed: FloatBuffer
  private let queriesKeysValues: FloatBuffer
  private let attended: FloatBuffer
  private let gated: FloatBuffer
  private let scratch: FloatBuffer
  /// Rows × codes: the logits of the last pass, slot by slot, position by position.
  private let logitBuffer: FloatBuffer

  /// Refuses a cache of keys and values, and logits of `rows` positions, that do not fit into memory.
  private static func requireMemory(
    _ configuration: PARConfiguration, slots: Int, positions: Int, rows: Int
  ) throws(PARError) {
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        AttentionCache.byteCount(
          layers: configuration.layers, slots: slots, capacity: positions,
          heads: configuration.heads, headWidth: configuration.headWidth)
          + 4 * Double(rows) * Double(configuration.codes),
        for: "the keys and values of \(slots) sequences of \(positions) positions")
    } catch {
      throw .tooLittleMemory(error, remedy: "generate fewer images at a time or on a smaller grid")
    }
  }

  /// Binds weights to a sequence, with room for `slots` sequences and `longestPass` positions in one pass.
  ///
  /// - Throws: ``PARError`` when the sequence is for another number of tokens per step, or heads are too narrow.
  public init(
    weights: PARWeights, sequence: PARSequence, attention: AttentionPattern = .groupwise,
    slots: Int, longestPass: Int? = nil, products: Products = .independent, team: WorkerTeam
  ) throws(PARError) {
    let configuration = weights.configuration
    guard sequence.tokensPerStep == configuration.tokensPerStep else {
      throw .wrongTokensPerStep(
        asked: sequence.tokensPerStep, model: configuration.tokensPerStep)
    }
    self.weights = weights
    self.sequence = sequence
    self.slots = slots
    self.products = products
    self.team = team
    visible = sequence.visiblePositions(attention).map { Int32($0) }
    rotation = try RotaryTable(sequence: sequence, headWidth: configuration.headWidth).rotation
    try Self.requireMemory(
      configuration, slots: slots, positions: sequence.positionCount,
      rows: slots * (longestPass ?? sequence.tokensPerStep))
    cache = AttentionCache(
      layers: configuration.layers, slots: slots, capacity: sequence.positionCount,
      heads: configuration.heads, headWidth: configuration.headWidth)
    let passLength = longestPass ?? sequence.tokensPerStep
    let rows = slots * passLength
    mostRows = rows
    let (width, hidden) = (configuration.width, configuration.hiddenWidth)
    residual = FloatBuffer(count: rows * width)
    normed = FloatBuffer(count: rows * width)
    queriesKeysValues = FloatBuffer(count: rows * 3 * width)
    attended = FloatBuffer(count: rows * width)
    gated = FloatBuffer(count: rows * hidden * (products == .fastest ? 2 : 1))
    logitBuffer = FloatBuffer(count: rows * configuration.codes)
    scratch = FloatBuffer(
      count: max(
        WeightProduct.scratchCount(rows: rows, inputs: max(width, hidden), team: team),
        cache.scratchCount(rows: passLength, team: team)))
  }

  /// Runs the model over the next positions of the first `labels.count` sequences.
  ///
  /// All earlier positions must have been run before, in order; what they left in the cache is used.
  ///
  /// - Parameters:
  ///   - positions: the input positions to compute.
  ///   - labels: each sequence's class, or the null class.
  ///   - token: the code of token k of sequence s, for tokens among the inputs.
  /// - Complexity: O(rows · parameters + rows · positions so far · width · layers).
  public func forward(
    positions: Range<Int>, labels: [Int], token: (_ slot: Int, _ k: Int) -> Int
  ) {
    let configuration = weights.configuration
    let rows = labels.count * positions.count
    precondition(rows <= mostRows && labels.count <= slots, "room for the pass")
    for (slot, label) in labels.enumerated() {
      for (index, position) in positions.enumerated() {
        let offset = (slot * positions.count + index) * configuration.width
        switch sequence.input(at: position) {
        case .classLabel: weights.classEmbedding.copyRow(label, to: residual, at: offset)
        case .transition(let j):
          weights.transitionEmbedding?.copyRow(j - 1, to: residual, at: offset)
        case .token(let k):
          weights.tokenEmbedding.copyRow(token(slot, k), to: residual, at: offset)
        }
      }
    }
    let visible = Array(visible[positions])
    for (index, layer) in weights.layers.enumerated() {
      norm(layer.attentionNorm, rows: rows)
      multiply(layer.queriesKeysValues, normed, rows: rows, into: queriesKeysValues)
      cache.attend(
        layer: index, qkv: queriesKeysValues, slots: labels.count, positions: positions,
        rotation: rotation, visible: visible, into: attended, team: team, scratch: scratch)
      multiply(
        layer.attentionOutput, attended, rows: rows, into: residual, accumulate: true)
      norm(layer.feedForwardNorm, rows: rows)
      WeightProduct.gated(
        layer.gate, layer.up, normed, rows: rows, into: gated, team: team,
        scratch: scratch)
      multiply(layer.down, gated, rows: rows, into: residual, accumulate: true)
    }
    norm(weights.norm, rows: rows)
    multiply(weights.output, normed, rows: rows, into: logitBuffer)
  }

  /// The logits of the last pass; overwritten by the next.
  var logits: PassLogits { PassLogits(buffer: logitBuffer, codes: weights.configuration.codes) }

  /// The K logits of one row of the last pass: slot · positions + position.
  public func logits(row: Int) -> [Float] { logits[row] }

  private func norm(_ weight: FloatBuffer, rows: Int) {
    TransformerKernels.rmsNorm(
      residual, weight: weight, rows: rows, epsilon: PARConfiguration.normEpsilon, into: normed,
      team: team)
  }

  private func multiply(
    _ matrix: WeightMatrix, _ x: FloatBuffer, rows: Int, into y: FloatBuffer,
    accumulate: Bool = false
  ) {
    if products == .fastest, rows > Self.mostRowsOfWeightProducts {
      WeightProduct.multiplyByBLAS(
        matrix, x, rows: rows, into: y, accumulate: accumulate, team: team, scratch: scratch)
    } else {
      WeightProduct.multiply(
        matrix, x, rows: rows, into: y, accumulate: accumulate, team: team, scratch: scratch)
    }
  }
}

/// The logits of one pass, row by row: slot · positions + position. Several threads may read them.
struct PassLogits: Sendable {
  let buffer: FloatBuffer
  let codes: Int

  subscript(row: Int) -> [Float] { buffer[row * codes..<(row + 1) * codes] }
}

extension PARTransformer {
  /// The logits of whole sequences whose tokens are all known, `images × N × K`, row-major; row k predicts token k.
  ///
  /// - Parameters:
  ///   - codes: each image's N codes in raster order.
  ///   - labels: each image's class, or the null class.
  /// - Throws: ``PARError`` for a code or class out of range.
  /// - Complexity: O(N · parameters) an image.
  public static func teacherForcedLogits(
    weights: PARWeights, sequence: PARSequence, attention: AttentionPattern = .groupwise,
    codes: [[Int]], labels: [Int], team: WorkerTeam
  ) throws(PARError) -> [[Float]] {
    try check(codes: codes, labels: labels, sequence: sequence, weights.configuration)
    let model = try PARTransformer(
      weights: weights, sequence: sequence, attention: attention, slots: 1,
      longestPass: sequence.positionCount, products: .fastest, team: team)
    return zip(codes, labels).map { image, label in
      model.forward(positions: 0..<sequence.positionCount, labels: [label]) { _, k in
        image[sequence.cells[k]]
      }
      return (0..<sequence.tokenCount).flatMap(model.logits(row:))
    }
  }

  private static func check(
    codes: [[Int]], labels: [Int], sequence: PARSequence, _ configuration: PARConfiguration
  ) throws(PARError) {
    guard codes.count == labels.count else {
      throw .wrongCount(of: "labels", found: labels.count, expected: codes.count)
    }
    for label in labels where !(0...configuration.nullClass).contains(label) {
      throw .classOutOfRange(label: label, classes: configuration.classes)
    }
    for (index, image) in codes.enumerated() {
      guard image.count == sequence.tokenCount else {
        throw .wrongCount(of: "codes", found: image.count, expected: sequence.tokenCount)
      }
      for (cell, code) in image.enumerated() where !(0..<configuration.codes).contains(code) {
        throw .codeOutOfRange(
          code: code, image: index, cell: sequence.order.grid.cell(at: cell),
          codes: configuration.codes)
      }
    }
  }
}
