import LinearAlgebra
import NeuralKernels
import TokenGrids

/// An image to learn from: its codes and its class.
struct TrainingImage: Sendable {
  /// N codes in raster order.
  let codes: ArraySlice<UInt32>
  /// The class, or the null class.
  let label: Int
}

/// Forward and backward pass over a few whole sequences on one thread, with the memory for them.
///
/// The layers are those of ``PARTransformer``; here all positions go through at once and what the backward pass needs
/// stays. Dropout is on the embeddings and on what attention and feed-forward layers add to the residual stream.
final class TrainingPass {
  /// The number of sequences there is room for.
  let capacity: Int
  private let configuration: PARConfiguration
  private let sequence: PARSequence
  private let attention: TrainingAttention
  private let inputs: [PARSequence.Input]

  // For each of 2·layers + 1 norms: the residual stream it reads, its result and its scales.
  private let residuals: [FloatView]
  private let normed: [FloatView]
  private let scales: [FloatView]
  // For each layer.
  private let queriesKeysValues: [FloatView]
  private let attended: [FloatView]
  private let attentionLogs: [FloatView]
  private let hidden: [FloatView]
  // Scratch that layers share.
  private let gated: FloatView
  private let branch: FloatView
  private let scores: FloatView
  private let logits: FloatView
  private let losses: FloatView
  private let dresidual: FloatView
  private let dnormed: FloatView
  private let dqkv: FloatView
  private let chunk: Int

  /// Makes room for `capacity` sequences.
  ///
  /// - Throws: ``PARError`` when heads are too narrow for the grid's angles.
  init(
    configuration: PARConfiguration, sequence: PARSequence, attention: AttentionPattern,
    capacity: Int
  ) throws(PARError) {
    self.configuration = configuration
    self.sequence = sequence
    self.capacity = capacity
    let positions = sequence.positionCount
    inputs = (0..<positions).map(sequence.input(at:))
    self.attention = TrainingAttention(
      heads: configuration.heads, headWidth: configuration.headWidth,
      visible: sequence.visiblePositions(attention),
      rotation: try RotaryTable(sequence: sequence, headWidth: configuration.headWidth).rotation)
    let rows = capacity * positions
    let (width, hiddenWidth, layers) = (
      configuration.width, configuration.hiddenWidth, configuration.layers
    )
    // About two megabytes of logits at a time.
    chunk = min(rows, max(64, (1 << 19) / configuration.codes))
    var counts: [Int] = []
    let norms = 2 * layers + 1
    counts += Array(repeating: rows * width, count: 2 * norms + layers)
    counts += Array(repeating: rows, count: norms)
    counts += Array(repeating: rows * 3 * width, count: layers)
    counts += Array(repeating: capacity * self.attention.logCount, count: layers)
    counts += Array(repeating: rows * 2 * hiddenWidth, count: layers)
    counts += [
      rows * hiddenWidth, rows * width, self.attention.scratchCount, chunk * configuration.codes,
      rows, rows * width, rows * width, rows * 3 * width,
    ]
    // Every tensor begins at a cache line.
    let buffer = FloatBuffer(count: counts.reduce(0) { $0 + ($1 + 15) / 16 * 16 })
    var end = 0
    var rest = counts[...]
    func take(_ number: Int) -> [FloatView] {
      defer { rest = rest.dropFirst(number) }
      return rest.prefix(number).map { count in
        defer { end += (count + 15) / 16 * 16 }
        return FloatView(buffer, offset: end, count: count)
      }
    }
    residuals = take(norms)
    normed = take(norms)
    attended = take(layers)
    scales = take(norms)
    queriesKeysValues = take(layers)
    attentionLogs = take(layers)
    hidden = take(layers)
    let shared = take(8)
    (gated, branch, scores, logits) = (shared[0], shared[1], shared[2], shared[3])
    (losses, dresidual, dnormed, dqkv) = (shared[4], shared[5], shared[6], shared[7])
  }

  /// The dropout of each place of the network: 0 the embeddings, 2l + 1 and 2l + 2 attention and feed-forward of layer l.
  typealias Dropouts = (_ place: Int) -> TrainingKernels.Dropout

  /// The negative log-probability, in nats, of every token of `images` in the order of the sequence, images × N.
  func losses(
    _ parameters: ParameterBuffer, _ images: ArraySlice<TrainingImage>
  ) -> [Float] {
    let sources = sources(images, parameters)
    forwardLayers(parameters, sources, dropouts: { _ in .none })
    return headLosses(parameters, images, weight: 0, gradient: nil)
  }

  /// The same with dropout, and adds to `gradient` that of the losses' sum times `weight`.
  func losses(
    _ parameters: ParameterBuffer, _ images: ArraySlice<TrainingImage>, dropouts: Dropouts,
    weight: Float, addingTo gradient: ParameterBuffer
  ) -> [Float] {
    let sources = sources(images, parameters)
    forwardLayers(parameters, sources, dropouts: dropouts)
    let result = headLosses(parameters, images, weight: weight, gradient: gradient)
    backwardLayers(parameters, sources, dropouts: dropouts, gradient: gradient)
    return result
  }

  /// Where the embedding of every position begins among the parameters.
  private func sources(
    _ images: ArraySlice<TrainingImage>, _ parameters: ParameterBuffer
  ) -> [Int64] {
    precondition(images.count <= capacity, "room for the images")
    let width = configuration.width
    let classes = parameters.range(.classEmbedding).lowerBound
    let tokens = parameters.range(.tokenEmbedding).lowerBound
    let transitions = parameters.range(.transitionEmbedding).lowerBound
    return images.flatMap { image in
      inputs.map { input in
        switch input {
        case .classLabel: Int64(classes + image.label * width)
        case .transition(let j): Int64(transitions + (j - 1) * width)
        case .token(let k):
          Int64(tokens + Int(image.codes[image.codes.startIndex + sequence.cells[k]]) * width)
        }
      }
    }
  }

  // MARK: Layers

  private func norm(_ index: Int) -> PARParameter {
    index == 2 * configuration.layers
      ? .norm : .layer(index / 2, index % 2 == 0 ? .attentionNorm : .feedForwardNorm)
  }

  private func forwardLayers(
    _ parameters: ParameterBuffer, _ sources: [Int64], dropouts: Dropouts
  ) {
    let rows = sources.count
    TrainingKernels.embed(
      FloatView(parameters.buffer), sources: sources, width: configuration.width,
      dropout: dropouts(0), into: residuals[0])
    addAndNorm(parameters, 0, rows: rows, dropout: .none)
    for layer in 0..<configuration.layers {
      attentionForward(parameters, layer, rows: rows)
      addAndNorm(parameters, 2 * layer + 1, rows: rows, dropout: dropouts(2 * layer + 1))
      feedForwardForward(parameters, layer, rows: rows)
      addAndNorm(parameters, 2 * layer + 2, rows: rows, dropout: dropouts(2 * layer + 2))
    }
  }

  private func backwardLayers(
    _ parameters: ParameterBuffer, _ sources: [Int64], dropouts: Dropouts,
    gradient: ParameterBuffer
  ) {
    let rows = sources.count
    for layer in (0..<configuration.layers).reversed() {
      addAndNormBackward(
        parameters, 2 * layer + 2, rows: rows, dropout: dropouts(2 * layer + 2), gradient)
      feedForwardBackward(parameters, layer, rows: rows, gradient)
      addAndNormBackward(
        parameters, 2 * layer + 1, rows: rows, dropout: dropouts(2 * layer + 1), gradient)
      attentionBackward(parameters, layer, rows: rows, gradient)
    }
    addAndNormBackward(parameters, 0, rows: rows, dropout: .none, gradient)
    TrainingKernels.embedBackward(
      dresidual, sources: sources, width: configuration.width, dropout: dropouts(0),
      addingTo: FloatView(gradient.buffer))
  }

  /// Adds the branch to the residual stream and norms it; norm 0 has nothing to add.
  private func addAndNorm(
    _ parameters: ParameterBuffer, _ index: Int, rows: Int, dropout: TrainingKernels.Dropout
  ) {
    TrainingKernels.residualNorm(
      residuals[max(0, index - 1)], adding: index == 0 ? nil : branch, rows: rows,
      dropout: dropout, weight: parameters[norm(index)], epsilon: PARConfiguration.normEpsilon,
      sum: residuals[index], normed: normed[index], scales: scales[index])
  }

  private func addAndNormBackward(
    _ parameters: ParameterBuffer, _ index: Int, rows: Int, dropout: TrainingKernels.Dropout,
    _ gradient: ParameterBuffer
  ) {
    TrainingKernels.residualNormBackward(
      sum: residuals[index], scales: scales[index], weight: parameters[norm(index)],
      dnormed: dnormed, rows: rows, dropout: dropout,
      accumulates: index < 2 * configuration.layers, dsum: dresidual,
      dweight: gradient[norm(index)], dy: index == 0 ? nil : branch)
  }

  private func attentionForward(_ parameters: ParameterBuffer, _ layer: Int, rows: Int) {
    let width = configuration.width
    LinearLayer.forward(
      normed[2 * layer], parameters[layer, .queriesKeysValues], rows: rows, inputs: width,
      outputs: 3 * width, into: queriesKeysValues[layer])
    attention.forward(
      qkv: queriesKeysValues[layer], images: rows / inputs.count, logs: attentionLogs[layer],
      scratch: scores, into: attended[layer])
    LinearLayer.forward(
      attended[layer], parameters[layer, .attentionOutput], rows: rows, inputs: width,
      outputs: width, into: branch)
  }

  private func attentionBackward(
    _ parameters: ParameterBuffer, _ layer: Int, rows: Int, _ gradient: ParameterBuffer
  ) {
    let width = configuration.width
    LinearLayer.backwardToWeights(
      branch, attended[layer], rows: rows, inputs: width, outputs: width,
      addingTo: gradient[layer, .attentionOutput])
    LinearLayer.backwardToInput(
      branch, parameters[layer, .attentionOutput], rows: rows, inputs: width, outputs: width,
      into: dnormed)
    attention.backward(
      qkv: queriesKeysValues[layer], images: rows / inputs.count, logs: attentionLogs[layer],
      out: attended[layer], dout: dnormed, scratch: scores, into: dqkv)
    LinearLayer.backwardToWeights(
      dqkv, normed[2 * layer], rows: rows, inputs: width, outputs: 3 * width,
      addingTo: gradient[layer, .queriesKeysValues])
    LinearLayer.backwardToInput(
      dqkv, parameters[layer, .queriesKeysValues], rows: rows, inputs: width,
      outputs: 3 * width, into: dnormed)
  }

  private func feedForwardForward(_ parameters: ParameterBuffer, _ layer: Int, rows: Int) {
    let (width, hiddenWidth) = (configuration.width, configuration.hiddenWidth)
    LinearLayer.forward(
      normed[2 * layer + 1], parameters.gateAndUp(layer), rows: rows, inputs: width,
      outputs: 2 * hiddenWidth, into: hidden[layer])
    TrainingKernels.gate(hidden[layer], rows: rows, width: hiddenWidth, into: gated)
    LinearLayer.forward(
      gated, parameters[layer, .down], rows: rows, inputs: hiddenWidth, outputs: width,
      into: branch)
  }

  private func feedForwardBackward(
    _ parameters: ParameterBuffer, _ layer: Int, rows: Int, _ gradient: ParameterBuffer
  ) {
    let (width, hiddenWidth) = (configuration.width, configuration.hiddenWidth)
    LinearLayer.backwardToInput(
      branch, parameters[layer, .down], rows: rows, inputs: hiddenWidth, outputs: width,
      into: gated)
    TrainingKernels.gateBackward(hidden[layer], rows: rows, width: hiddenWidth, gated: gated)
    LinearLayer.backwardToWeights(
      branch, gated, rows: rows, inputs: hiddenWidth, outputs: width,
      addingTo: gradient[layer, .down])
    LinearLayer.backwardToWeights(
      hidden[layer], normed[2 * layer + 1], rows: rows, inputs: width, outputs: 2 * hiddenWidth,
      addingTo: gradient.gateAndUp(layer))
    LinearLayer.backwardToInput(
      hidden[layer], parameters.gateAndUp(layer), rows: rows, inputs: width,
      outputs: 2 * hiddenWidth, into: dnormed)
  }

  // MARK: Head

  /// The losses of the first N positions of every image, a chunk of rows at a time; with a gradient also `dnormed`.
  private func headLosses(
    _ parameters: ParameterBuffer, _ images: ArraySlice<TrainingImage>, weight: Float,
    gradient: ParameterBuffer?
  ) -> [Float] {
    let (width, codes) = (configuration.width, configuration.codes)
    let (tokens, positions) = (sequence.tokenCount, sequence.positionCount)
    let targets = images.flatMap { image in
      sequence.cells.map { Int32(image.codes[image.codes.startIndex + $0]) }
    }
    let last = normed[2 * configuration.layers]
    let head = parameters[.output]
    // Where every position predicts a token, all images are one run of rows; else each is one.
    let isWhole = tokens == positions
    let runs = isWhole ? 1 : images.count
    let runLength = isWhole ? images.count * tokens : tokens
    if !isWhole, gradient != nil { dnormed.clear() }
    for run in 0..<runs {
      for first in stride(from: 0, to: runLength, by: chunk) {
        let rows = min(chunk, runLength - first)
        let start = (run * positions + first) * width
        let x = last[start..<start + rows * width]
        let loss = run * tokens + first
        LinearLayer.forward(x, head, rows: rows, inputs: width, outputs: codes, into: logits)
        TrainingKernels.crossEntropy(
          logits, targets: targets[loss..<loss + rows], codes: codes, weight: weight,
          losses: losses[loss..<loss + rows])
        guard let gradient else { continue }
        LinearLayer.backwardToWeights(
          logits, x, rows: rows, inputs: width, outputs: codes, addingTo: gradient[.output])
        LinearLayer.backwardToInput(
          logits, head, rows: rows, inputs: width, outputs: codes,
          into: dnormed[start..<start + rows * width])
      }
    }
    return losses[0..<targets.count].values
  }
}
