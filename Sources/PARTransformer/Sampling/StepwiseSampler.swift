import NeuralKernels
import Statistics

/// How far the drawing of images has come.
public struct SamplingProgress: Sendable {
  /// Images finished before this batch.
  public let finishedImages: Int
  /// Images in this batch.
  public let batchImages: Int
  /// Tokens of each image of this batch that are known.
  public let tokens: Int
}

/// One run of a model, which draws the tokens of a step.
protocol SampledPass {
  /// The places in the sequence of the tokens that are drawn.
  var tokens: Range<Int> { get }
  /// The rows of logits of one sequence, of which the first are those of the tokens.
  var logitCount: Int { get }
}

/// The images of a batch, of which guidance computes each a second time: slots are images, and once more the same images.
struct SampledBatch {
  /// For each image the raster index of every cell, in the order of the sequence.
  let cells: [[Int]]
  /// For each image its codes so far, by the place in the sequence.
  var codes: [[Int]]

  func cell(slot: Int, place: Int) -> Int { cells[slot % cells.count][place] }
  func token(slot: Int, place: Int) -> Int { codes[slot % codes.count][place] }

  /// The codes of every image in raster order.
  var images: [[Int]] {
    zip(codes, cells).map { codes, cells in
      var raster = codes
      for (place, cell) in cells.enumerated() { raster[cell] = codes[place] }
      return raster
    }
  }
}

/// What draws images from a model of some kind, several at once, one forward pass for each step.
protocol StepwiseSampler: Sendable {
  associatedtype Model
  associatedtype Pass: SampledPass

  var options: SamplingOptions { get }
  var team: WorkerTeam { get }
  var classes: Int { get }
  var nullClass: Int { get }
  /// The passes, one for each step.
  var steps: [Pass] { get }

  /// Makes a model with room for so many sequences.
  func model(slots: Int) throws(PARError) -> Model
  /// The raster index of every cell of an image, in the order of its sequence.
  func cells(ofImage index: Int) -> [Int]
  /// Runs the model for one step, all earlier ones having been run.
  func logits(_ model: Model, _ pass: Pass, labels: [Int], batch: SampledBatch) -> PassLogits
}

extension StepwiseSampler {
  /// Draws one image for each label and returns its codes in raster order, `images × N`.
  ///
  /// - Parameter firstImage: The number of the first in its run, on which its random numbers and its order depend.
  /// - Throws: ``PARError`` for a class out of range or logits that are not numbers.
  func draw(
    labels: [Int], firstImage: Int, progress: ((SamplingProgress) -> Void)?
  ) throws(PARError) -> [[Int]] {
    for label in labels where !(0..<classes).contains(label) {
      throw .classOutOfRange(label: label, classes: classes)
    }
    guard !labels.isEmpty else { return [] }
    let batchSize = min(options.batchSize, labels.count)
    let model = try model(slots: options.guidance > 1 ? 2 * batchSize : batchSize)
    var images: [[Int]] = []
    for first in stride(from: 0, to: labels.count, by: batchSize) {
      images += try drawBatch(
        model, labels: Array(labels[first..<min(first + batchSize, labels.count)]),
        finished: first, firstImage: firstImage + first, progress: progress)
    }
    return images
  }

  private func drawBatch(
    _ model: Model, labels: [Int], finished: Int, firstImage: Int,
    progress: ((SamplingProgress) -> Void)?
  ) throws(PARError) -> [[Int]] {
    let count = labels.count
    let steps = steps
    let lastGuided = options.lastGuidedStep(of: steps.count)
    let nullLabels = Array(repeating: nullClass, count: count)
    let cells = (0..<count).map { self.cells(ofImage: firstImage + $0) }
    let tokenCount = cells[0].count
    var batch = SampledBatch(
      cells: cells, codes: cells.map { Array(repeating: 0, count: $0.count) })
    // Tokens are drawn in the order of the sequence, one number each, whatever the batch.
    var generators = (0..<count).map {
      SeededGenerator(seed: options.seed, stream: UInt64(firstImage + $0))
    }
    for (index, pass) in steps.enumerated() {
      let step = index + 1
      let logits = logits(
        model, pass, labels: step <= lastGuided ? labels + nullLabels : labels, batch: batch)
      let draws = generators.indices.map { image in
        pass.tokens.map { _ in generators[image].nextUniform() }
      }
      let work = SamplingStep(
        logits: logits, images: count, positions: pass.logitCount, drawn: pass.tokens.count,
        guidance: options.guidance(step: step, tokens: pass.tokens, of: tokenCount),
        filter: options.isGreedy ? nil : options.filter, draws: draws)
      let codes = team.map(count * pass.tokens.count) { work.code($0) }
      for image in 0..<count {
        for (place, token) in pass.tokens.enumerated() {
          guard let code = codes[image * pass.tokens.count + place] else {
            throw .logitsNotFinite(image: firstImage + image, token: token)
          }
          batch.codes[image][token] = code
        }
      }
      progress?(
        SamplingProgress(
          finishedImages: finished, batchImages: count, tokens: pass.tokens.upperBound))
    }
    return batch.images
  }
}
