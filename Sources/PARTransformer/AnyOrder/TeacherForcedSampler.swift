import LinearAlgebra
import NeuralKernels
import Statistics
import TokenGrids

/// Draws the tokens of single steps given the real tokens of all steps before, so that what is wrong with one step does not
/// carry over to the next.
///
/// Every step is drawn twice with the same random numbers: in parallel, as an any-order transformer generates it, and one by
/// one, each token given those of the step that were drawn before it. What differs between the two is the parallel drawing
/// alone.
public struct TeacherForcedSampler: Sendable {
  /// What was drawn of one step.
  public struct Step: Hashable, Sendable {
    /// The number of the step, from 0.
    public let step: Int
    /// For each image the codes of the step's cells, in the order's sequence, drawn independently of each other.
    public let parallel: [[Int]]
    /// The same, drawn one after another.
    public let oneByOne: [[Int]]

    /// Collects what was drawn.
    public init(step: Int, parallel: [[Int]], oneByOne: [[Int]]) {
      (self.step, self.parallel, self.oneByOne) = (step, parallel, oneByOne)
    }
  }

  /// The parameters.
  public let weights: AnyOrderWeights
  /// The order whose steps are drawn.
  public let order: GenerationOrder
  /// How tokens are drawn.
  public let options: SamplingOptions
  private let passes: AnyOrderPasses
  private let sequence: [Int]
  private let team: WorkerTeam

  /// Makes a sampler.
  ///
  /// - Throws: ``PARError`` when an option is out of range.
  public init(
    weights: AnyOrderWeights, order: GenerationOrder, options: SamplingOptions, team: WorkerTeam
  ) throws(PARError) {
    try options.validate()
    (self.weights, self.order, self.options, self.team) = (weights, order, options, team)
    passes = AnyOrderPasses(groupSizes: order.steps.map(\.count))
    sequence = order.sequence
  }

  /// Draws some steps of real images.
  ///
  /// What is drawn of image i depends on the weights, its codes and label, the order, the options' seed and i alone.
  ///
  /// - Parameters:
  ///   - codes: each image's N codes in raster order.
  ///   - labels: each image's class.
  ///   - steps: the numbers of the steps to draw, from 0; in rising order in the result.
  ///   - progress: called with the number of images done.
  /// - Throws: ``PARError`` for a code or class out of range, a number of labels that is not that of the images, or logits
  ///   that are not numbers.
  /// - Complexity: O(N · parameters) an image, at most twice as much as to generate it.
  public func draw(
    codes: [[Int]], labels: [Int], steps: Set<Int>, progress: ((Int) -> Void)? = nil
  ) throws(PARError) -> [Step] {
    guard labels.count == codes.count else {
      throw .wrongCount(of: "labels", found: labels.count, expected: codes.count)
    }
    for (index, image) in codes.enumerated() {
      try weights.configuration.check(image, label: labels[index], index: index, grid: order.grid)
    }
    let wanted = steps.filter(order.steps.indices.contains).sorted()
    var drawn = wanted.map { _ in (parallel: [[Int]](), oneByOne: [[Int]]()) }
    guard !codes.isEmpty else { return [] }
    let batch = min(options.batchSize, codes.count)
    let model = try AnyOrderTransformer(
      weights: weights, grid: order.grid, slots: options.guidance > 1 ? 2 * batch : batch,
      longestPass: passes.longest, team: team)
    for first in stride(from: 0, to: codes.count, by: batch) {
      let images = first..<min(first + batch, codes.count)
      let part = try drawBatch(model, codes, labels, images, wanted)
      for (index, step) in part.enumerated() {
        drawn[index].parallel += step.parallel
        drawn[index].oneByOne += step.oneByOne
      }
      progress?(images.upperBound)
    }
    return zip(wanted, drawn).map {
      Step(step: $0, parallel: $1.parallel, oneByOne: $1.oneByOne)
    }
  }

  private func drawBatch(
    _ model: AnyOrderTransformer, _ codes: [[Int]], _ labels: [Int], _ images: Range<Int>,
    _ wanted: [Int]
  ) throws(PARError) -> [(parallel: [[Int]], oneByOne: [[Int]])] {
    let count = images.count
    let own = Array(labels[images])
    let labels =
      options.guidance > 1
      ? own + Array(repeating: weights.configuration.nullClass, count: count) : own
    // By the place in the sequence.
    let real = images.map { image in sequence.map { codes[image][$0] } }
    var generators = images.map { SeededGenerator(seed: options.seed, stream: UInt64($0)) }
    func run(_ pass: AnyOrderPasses.Pass, _ tokens: [[Int]]) {
      model.forward(
        pass, labels: labels, cell: { _, place in sequence[place] },
        token: { slot, place in tokens[slot % count][place] })
    }
    var result: [(parallel: [[Int]], oneByOne: [[Int]])] = []
    for (index, pass) in passes.passes.enumerated() {
      let first = pass.tokens.lowerBound
      guard wanted.contains(index) else {
        // A pass has at least one query; this one's is overwritten unread.
        run(AnyOrderPasses.Pass(known: pass.known, tokens: first..<first + 1), real)
        continue
      }
      run(pass, real)
      let draws = generators.indices.map { image in
        pass.tokens.map { _ in generators[image].nextUniform() }
      }
      let parallel = try self.codes(model, step: index, pass.tokens, draws, images)
      // The same tokens one by one; the real ones take their places in the next pass.
      var tokens = real
      for place in pass.tokens {
        let known = place == first ? first + 1..<first + 1 : place..<place + 1
        run(AnyOrderPasses.Pass(known: known, tokens: place..<place + 1), tokens)
        let next = try self.codes(
          model, step: index, place..<place + 1, draws.map { [$0[place - first]] }, images)
        for image in 0..<count { tokens[image][place] = next[image][0] }
      }
      result.append((parallel, tokens.map { Array($0[pass.tokens]) }))
    }
    return result
  }

  /// Draws what the last pass predicted, image by image.
  private func codes(
    _ model: AnyOrderTransformer, step: Int, _ tokens: Range<Int>, _ draws: [[Double]],
    _ images: Range<Int>
  ) throws(PARError) -> [[Int]] {
    let work = SamplingStep(
      logits: model.logits, images: images.count, positions: tokens.count, drawn: tokens.count,
      guidance: options.guidance(step: step + 1, tokens: tokens, of: sequence.count),
      filter: options.isGreedy ? nil : options.filter, draws: draws)
    let codes = team.map(images.count * tokens.count) { work.code($0) }
    var result: [[Int]] = []
    for image in 0..<images.count {
      var own: [Int] = []
      for (place, token) in tokens.enumerated() {
        guard let code = codes[image * tokens.count + place] else {
          throw .logitsNotFinite(image: images.lowerBound + image, token: token)
        }
        own.append(code)
      }
      result.append(own)
    }
    return result
  }
}
