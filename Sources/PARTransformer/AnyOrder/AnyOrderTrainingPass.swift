import LinearAlgebra
import NeuralKernels
import TokenGrids

/// An image to learn from: its codes, its class and the order in which they are predicted.
struct AnyOrderImage: Sendable {
  /// N codes in raster order.
  let codes: ArraySlice<UInt32>
  /// The class, or the null class.
  let label: Int
  /// The raster index of every cell, in the order of the sequence.
  let cells: [Int]
  /// The sizes of the steps.
  let groupSizes: [Int]

  /// Known rows, the class and the tokens of all steps but the last, and a query for every token.
  var rowCount: Int { 1 + 2 * cells.count - (groupSizes.last ?? 0) }

  var knownCount: Int { rowCount - cells.count }

  func code(_ place: Int) -> UInt32 { codes[codes.startIndex + cells[place]] }
}

/// Forward and backward pass over a few whole images on one thread, with the memory for them.
///
/// The layers are those of ``AnyOrderTransformer``; here all steps of an image go through at once under the mask of
/// ``TwoStreamAttention``, and what the backward pass needs stays. Dropout is on what layers add to the residual stream.
///
/// Nothing reads what the last layer makes of known rows: there they give keys and values, and only queries go on.
final class AnyOrderTrainingPass {
  /// The number of images there is room for.
  let capacity: Int
  private let configuration: AnyOrderConfiguration
  private let attention: TwoStreamAttention

  // The input, the embedding of its position, and what the norm of their sum needs.
  private let input: FloatView
  private let place: FloatView
  private let inputSum: FloatView
  private let inputMoments: FloatView
  // For each of 2·layers + 1 norms: the residual stream it reads, its result and its moments.
  private let residuals: [FloatView]
  private let normed: [FloatView]
  private let moments: [FloatView]
  // For each layer.
  private let queriesKeysValues: [FloatView]
  private let attended: [FloatView]
  // What the queries alone attended to in the last layer, image by image.
  private let lastAttended: FloatView
  private let attentionLogs: [FloatView]
  private let hidden: [FloatView]
  // Scratch that layers share.
  private let active: FloatView
  private let dactive: FloatView
  private let branch: FloatView
  private let scores: FloatView
  private let logits: FloatView
  private let losses: FloatView
  private let dresidual: FloatView
  private let dnormed: FloatView
  private let dqkv: FloatView
  private let chunk: Int

  /// Makes room for `capacity` images of the configuration's grid.
  init(configuration: AnyOrderConfiguration, capacity: Int) {
    (self.configuration, self.capacity) = (configuration, capacity)
    let mostRows = 2 * configuration.grid.cellCount
    attention = TwoStreamAttention(
      heads: configuration.heads, headWidth: configuration.headWidth, mostRows: mostRows)
    let rows = capacity * mostRows
    let (width, hiddenWidth, layers) = (
      configuration.width, configuration.hiddenWidth, configuration.layers
    )
    // About two megabytes of logits at a time.
    chunk = min(rows, max(64, (1 << 19) / configuration.codes))
    let norms = 2 * layers + 1
    var memory = ViewsOfOneBuffer()
    let wide = memory.request(rows * width, times: 3 + 2 * norms + layers + 4)
    let pairs = memory.request(2 * rows, times: norms + 1)
    let triple = memory.request(rows * 3 * width, times: layers + 1)
    let logs = memory.request(rows * configuration.heads, times: layers)
    let deep = memory.request(rows * hiddenWidth, times: layers + 2)
    let rest = memory.request(attention.scratchCount)
    let logitPart = memory.request(chunk * configuration.codes)
    let lossPart = memory.request(rows)
    memory.allocate()
    var wides = memory.views(wide)[...]
    func take(_ count: Int) -> [FloatView] {
      defer { wides = wides.dropFirst(count) }
      return Array(wides.prefix(count))
    }
    (input, place, inputSum) = (wides[0], wides[1], wides[2])
    wides = wides.dropFirst(3)
    residuals = take(norms)
    normed = take(norms)
    attended = take(layers)
    let shared = take(4)
    (branch, dresidual, dnormed, lastAttended) = (shared[0], shared[1], shared[2], shared[3])
    let allMoments = memory.views(pairs)
    (moments, inputMoments) = (Array(allMoments.prefix(norms)), allMoments[norms])
    let triples = memory.views(triple)
    (queriesKeysValues, dqkv) = (Array(triples.prefix(layers)), triples[layers])
    attentionLogs = memory.views(logs)
    let deeps = memory.views(deep)
    hidden = Array(deeps.prefix(layers))
    (active, dactive) = (deeps[layers], deeps[layers + 1])
    scores = memory.views(rest)[0]
    logits = memory.views(logitPart)[0]
    losses = memory.views(lossPart)[0]
  }

  /// The dropout of each place of the network: 2l + 1 and 2l + 2 are attention and feed-forward of layer l.
  typealias Dropouts = (_ place: Int) -> TrainingKernels.Dropout

  /// The negative log-probability, in nats, of every token of `images` in the order of its sequence, images × N.
  func losses(_ parameters: AnyOrderParameters, _ images: ArraySlice<AnyOrderImage>) -> [Float] {
    let rows = Rows(images, parameters, capacity: capacity)
    forward(parameters, rows, dropouts: { _ in .none })
    return headLosses(parameters, rows, weight: 0, gradient: nil)
  }

  /// The same with dropout, and adds to `gradient` that of the losses' sum times `weight`.
  func losses(
    _ parameters: AnyOrderParameters, _ images: ArraySlice<AnyOrderImage>, dropouts: Dropouts,
    weight: Float, addingTo gradient: AnyOrderParameters
  ) -> [Float] {
    let rows = Rows(images, parameters, capacity: capacity)
    forward(parameters, rows, dropouts: dropouts)
    let result = headLosses(parameters, rows, weight: weight, gradient: gradient)
    backward(parameters, rows, dropouts: dropouts, gradient: gradient)
    return result
  }

  /// What the rows of a pass are.
  private struct Rows {
    let images: [AnyOrderImage]
    let masks: [TwoStreamAttention.Mask]
    /// Where each image's rows begin.
    let starts: [Int]
    let count: Int
    /// The queries of all images.
    let queryCount: Int
    /// Where the embedding of every row begins among the parameters, and that of its position.
    let inputs: [Int64]
    let positions: [Int64]

    init(
      _ images: ArraySlice<AnyOrderImage>, _ parameters: AnyOrderParameters, capacity: Int
    ) {
      precondition(images.count <= capacity, "room for the images")
      let width = parameters.configuration.width
      func begin(_ parameter: AnyOrderParameter, row: Int = 0) -> Int64 {
        Int64(parameters.range(parameter).lowerBound + row * width)
      }
      var (starts, inputs, positions): ([Int], [Int64], [Int64]) = ([], [], [])
      for image in images {
        starts.append(inputs.count)
        let isNull = image.label == parameters.configuration.nullClass
        inputs.append(isNull ? begin(.nullEmbedding) : begin(.classEmbedding, row: image.label))
        positions.append(begin(.positionEmbedding))
        for place in 0..<image.knownCount - 1 {
          inputs.append(begin(.tokenEmbedding, row: Int(image.code(place))))
          positions.append(begin(.positionEmbedding, row: 1 + image.cells[place]))
        }
        for cell in image.cells {
          inputs.append(begin(.maskEmbedding))
          positions.append(begin(.positionEmbedding, row: 1 + cell))
        }
      }
      self.images = Array(images)
      masks = images.map { TwoStreamAttention.Mask(groupSizes: $0.groupSizes) }
      (self.starts, self.inputs, self.positions) = (starts, inputs, positions)
      count = inputs.count
      queryCount = images.reduce(0) { $0 + $1.cells.count }
    }

    /// Moves the queries' rows of `view` together, image by image, into `compact`.
    func gatherQueries(of view: FloatView, width: Int, into compact: FloatView) {
      var first = 0
      for (image, start) in zip(images, starts) {
        compact.copy(
          (start + image.knownCount) * width..<(start + image.rowCount) * width, of: view,
          to: first)
        first += image.cells.count * width
      }
    }

    /// Moves such rows back to where the queries stand among all rows, and puts zeros in known ones.
    func spreadQueries(in view: FloatView, width: Int) {
      // From the last: no image's rows are then overwritten before they have been moved.
      var first = queryCount * width
      for (image, start) in zip(images, starts).reversed() {
        first -= image.cells.count * width
        let queries = (start + image.knownCount) * width
        view.copy(first..<first + image.cells.count * width, of: view, to: queries)
      }
      for (image, start) in zip(images, starts) {
        view[start * width..<(start + image.knownCount) * width].clear()
      }
    }
  }

  // MARK: Layers

  private func forward(_ parameters: AnyOrderParameters, _ rows: Rows, dropouts: Dropouts) {
    let (all, width) = (FloatView(parameters.buffer), configuration.width)
    TrainingKernels.embed(all, sources: rows.inputs, width: width, dropout: .none, into: input)
    TrainingKernels.embed(all, sources: rows.positions, width: width, dropout: .none, into: place)
    TrainingKernels.residualLayerNorm(
      input, adding: place, rows: rows.count, dropout: .none, weight: parameters[.inputNormWeight],
      bias: parameters[.inputNormBias], epsilon: AnyOrderConfiguration.normEpsilon, sum: inputSum,
      normed: residuals[0], moments: inputMoments)
    addAndNorm(parameters, 0, rows: rows.count, dropout: .none)
    for layer in 0..<configuration.layers {
      let isLast = layer == configuration.layers - 1
      let count = isLast ? rows.queryCount : rows.count
      attentionForward(parameters, layer, rows, isLast: isLast)
      addAndNorm(
        parameters, 2 * layer + 1, rows: count, dropout: dropouts(2 * layer + 1),
        // The gradient's memory is free until the backward pass.
        stream: isLast ? dresidual : nil)
      feedForwardForward(parameters, layer, rows: count)
      addAndNorm(parameters, 2 * layer + 2, rows: count, dropout: dropouts(2 * layer + 2))
    }
  }

  private func backward(
    _ parameters: AnyOrderParameters, _ rows: Rows, dropouts: Dropouts,
    gradient: AnyOrderParameters
  ) {
    for layer in (0..<configuration.layers).reversed() {
      let isLast = layer == configuration.layers - 1
      let count = isLast ? rows.queryCount : rows.count
      addAndNormBackward(
        parameters, 2 * layer + 2, rows: count, dropout: dropouts(2 * layer + 2), gradient)
      feedForwardBackward(parameters, layer, rows: count, gradient)
      addAndNormBackward(
        parameters, 2 * layer + 1, rows: count, dropout: dropouts(2 * layer + 1), gradient)
      attentionBackward(parameters, layer, rows, gradient, isLast: isLast)
    }
    addAndNormBackward(parameters, 0, rows: rows.count, dropout: .none, gradient)
    TrainingKernels.residualLayerNormBackward(
      sum: inputSum, moments: inputMoments, weight: parameters[.inputNormWeight],
      dnormed: dresidual, rows: rows.count, dropout: .none, accumulates: false, dsum: dnormed,
      dweight: gradient[.inputNormWeight], dbias: gradient[.inputNormBias], dy: nil)
    for sources in [rows.inputs, rows.positions] {
      TrainingKernels.embedBackward(
        dnormed, sources: sources, width: configuration.width, dropout: .none,
        addingTo: FloatView(gradient.buffer))
    }
  }

  /// The scale and the shift of a norm.
  private func norm(_ index: Int) -> (weight: AnyOrderParameter, bias: AnyOrderParameter) {
    if index == 2 * configuration.layers { return (.normWeight, .normBias) }
    return index % 2 == 0
      ? (.layer(index / 2, .attentionNormWeight), .layer(index / 2, .attentionNormBias))
      : (.layer(index / 2, .feedForwardNormWeight), .layer(index / 2, .feedForwardNormBias))
  }

  /// Adds the branch to the residual stream, or to `stream`, and norms it; norm 0 has nothing to add.
  private func addAndNorm(
    _ parameters: AnyOrderParameters, _ index: Int, rows: Int, dropout: TrainingKernels.Dropout,
    stream: FloatView? = nil
  ) {
    let names = norm(index)
    TrainingKernels.residualLayerNorm(
      stream ?? residuals[max(0, index - 1)], adding: index == 0 ? nil : branch, rows: rows,
      dropout: dropout, weight: parameters[names.weight], bias: parameters[names.bias],
      epsilon: AnyOrderConfiguration.normEpsilon, sum: residuals[index], normed: normed[index],
      moments: moments[index])
  }

  private func addAndNormBackward(
    _ parameters: AnyOrderParameters, _ index: Int, rows: Int, dropout: TrainingKernels.Dropout,
    _ gradient: AnyOrderParameters
  ) {
    let names = norm(index)
    TrainingKernels.residualLayerNormBackward(
      sum: residuals[index], moments: moments[index], weight: parameters[names.weight],
      dnormed: dnormed, rows: rows, dropout: dropout,
      accumulates: index < 2 * configuration.layers, dsum: dresidual,
      dweight: gradient[names.weight], dbias: gradient[names.bias],
      dy: index == 0 ? nil : branch)
  }

  /// y = x·Wᵀ + b.
  private func linear(
    _ x: FloatView, _ parameters: AnyOrderParameters, _ layer: Int,
    _ weight: AnyOrderParameter.LayerPart, _ bias: AnyOrderParameter.LayerPart, rows: Int,
    inputs: Int, outputs: Int, into y: FloatView
  ) {
    LinearLayer.forward(
      x, parameters[layer, weight], rows: rows, inputs: inputs, outputs: outputs, into: y)
    TrainingKernels.addBias(parameters[layer, bias], to: y, rows: rows)
  }

  /// The gradients of weight and bias from that of y, and that of x.
  private func linearBackward(
    _ dy: FloatView, _ x: FloatView, _ parameters: AnyOrderParameters, _ layer: Int,
    _ weight: AnyOrderParameter.LayerPart, _ bias: AnyOrderParameter.LayerPart, rows: Int,
    inputs: Int, outputs: Int, _ gradient: AnyOrderParameters, into dx: FloatView
  ) {
    TrainingKernels.addBiasBackward(dy, rows: rows, addingTo: gradient[layer, bias])
    LinearLayer.backwardToWeights(
      dy, x, rows: rows, inputs: inputs, outputs: outputs, addingTo: gradient[layer, weight])
    LinearLayer.backwardToInput(
      dy, parameters[layer, weight], rows: rows, inputs: inputs, outputs: outputs, into: dx)
  }

  /// The parts of a layer's memory that belong to each image.
  private func eachImage(
    _ rows: Rows,
    _ body: (TwoStreamAttention.Mask, _ part: (FloatView, _ width: Int) -> FloatView) -> Void
  ) {
    for (start, mask) in zip(rows.starts, rows.masks) {
      body(mask) { view, width in view[start * width..<(start + mask.rowCount) * width] }
    }
  }

  private func attentionForward(
    _ parameters: AnyOrderParameters, _ layer: Int, _ rows: Rows, isLast: Bool
  ) {
    let width = configuration.width
    linear(
      normed[2 * layer], parameters, layer, .queriesKeysValues, .queriesKeysValuesBias,
      rows: rows.count, inputs: width, outputs: 3 * width, into: queriesKeysValues[layer])
    eachImage(rows) { mask, part in
      attention.forward(
        qkv: part(queriesKeysValues[layer], 3 * width), mask: mask,
        logs: part(attentionLogs[layer], configuration.heads), scratch: scores,
        queriesOnly: isLast, into: part(attended[layer], width))
    }
    if isLast {
      rows.gatherQueries(of: attended[layer], width: width, into: lastAttended)
      rows.gatherQueries(of: residuals[2 * layer], width: width, into: dresidual)
    }
    linear(
      isLast ? lastAttended : attended[layer], parameters, layer, .attentionOutput,
      .attentionOutputBias, rows: isLast ? rows.queryCount : rows.count, inputs: width,
      outputs: width, into: branch)
  }

  private func attentionBackward(
    _ parameters: AnyOrderParameters, _ layer: Int, _ rows: Rows, _ gradient: AnyOrderParameters,
    isLast: Bool
  ) {
    let width = configuration.width
    linearBackward(
      branch, isLast ? lastAttended : attended[layer], parameters, layer, .attentionOutput,
      .attentionOutputBias, rows: isLast ? rows.queryCount : rows.count, inputs: width,
      outputs: width, gradient, into: dnormed)
    if isLast {
      rows.spreadQueries(in: dnormed, width: width)
      rows.spreadQueries(in: dresidual, width: width)
    }
    eachImage(rows) { mask, part in
      attention.backward(
        qkv: part(queriesKeysValues[layer], 3 * width), mask: mask,
        logs: part(attentionLogs[layer], configuration.heads), out: part(attended[layer], width),
        dout: part(dnormed, width), scratch: scores, queriesOnly: isLast,
        into: part(dqkv, 3 * width))
    }
    linearBackward(
      dqkv, normed[2 * layer], parameters, layer, .queriesKeysValues, .queriesKeysValuesBias,
      rows: rows.count, inputs: width, outputs: 3 * width, gradient, into: dnormed)
  }

  private func feedForwardForward(_ parameters: AnyOrderParameters, _ layer: Int, rows: Int) {
    let (width, hiddenWidth) = (configuration.width, configuration.hiddenWidth)
    linear(
      normed[2 * layer + 1], parameters, layer, .up, .upBias, rows: rows, inputs: width,
      outputs: hiddenWidth, into: hidden[layer])
    TrainingKernels.gelu(hidden[layer], rows: rows, width: hiddenWidth, into: active)
    linear(
      active, parameters, layer, .down, .downBias, rows: rows, inputs: hiddenWidth,
      outputs: width, into: branch)
  }

  private func feedForwardBackward(
    _ parameters: AnyOrderParameters, _ layer: Int, rows: Int, _ gradient: AnyOrderParameters
  ) {
    let (width, hiddenWidth) = (configuration.width, configuration.hiddenWidth)
    TrainingKernels.gelu(hidden[layer], rows: rows, width: hiddenWidth, into: active)
    linearBackward(
      branch, active, parameters, layer, .down, .downBias, rows: rows, inputs: hiddenWidth,
      outputs: width, gradient, into: dactive)
    TrainingKernels.geluBackward(hidden[layer], rows: rows, width: hiddenWidth, gradient: dactive)
    linearBackward(
      dactive, normed[2 * layer + 1], parameters, layer, .up, .upBias, rows: rows, inputs: width,
      outputs: hiddenWidth, gradient, into: dnormed)
  }

  // MARK: Head

  /// The losses of the queries of every image, a chunk of rows at a time; with a gradient also `dnormed`.
  private func headLosses(
    _ parameters: AnyOrderParameters, _ rows: Rows, weight: Float, gradient: AnyOrderParameters?
  ) -> [Float] {
    let (width, codes) = (configuration.width, configuration.codes)
    let last = normed[2 * configuration.layers]
    let head = parameters[.output]
    var done = 0
    for image in rows.images {
      let targets = image.cells.indices.map { Int32(image.code($0)) }
      for first in stride(from: 0, to: targets.count, by: chunk) {
        let count = min(chunk, targets.count - first)
        let begin = (done + first) * width
        let x = last[begin..<begin + count * width]
        LinearLayer.forward(x, head, rows: count, inputs: width, outputs: codes, into: logits)
        TrainingKernels.crossEntropy(
          logits, targets: targets[first..<first + count], codes: codes, weight: weight,
          losses: losses[done + first..<done + first + count])
        guard let gradient else { continue }
        LinearLayer.backwardToWeights(
          logits, x, rows: count, inputs: width, outputs: codes, addingTo: gradient[.output])
        LinearLayer.backwardToInput(
          logits, head, rows: count, inputs: width, outputs: codes,
          into: dnormed[begin..<begin + count * width])
      }
      done += targets.count
    }
    return losses[0..<done].values
  }
}

/// Views of one allocation, each of which begins at a cache line.
private struct ViewsOfOneBuffer {
  private var requests: [(count: Int, times: Int, offset: Int)] = []
  private var end = 0
  private var buffer = FloatBuffer(count: 0)

  /// Asks for views of so many floats; the result names them.
  mutating func request(_ count: Int, times: Int = 1) -> Int {
    requests.append((count, times, end))
    end += (count + 15) / 16 * 16 * times
    return requests.count - 1
  }

  mutating func allocate() { buffer = FloatBuffer(count: end) }

  func views(_ request: Int) -> [FloatView] {
    let (count, times, offset) = requests[request]
    return (0..<times).map {
      FloatView(buffer, offset: offset + $0 * ((count + 15) / 16 * 16), count: count)
    }
  }
}
