import GenerationMetrics
import LinearAlgebra
import PARTransformer
import Reporting
import TokenData
import TokenGrids

/// How far steps that were drawn given the real tokens before them are from the real ones, step by step, so that errors do not
/// accumulate.
///
/// The images of step g are real up to step g − 1 and blank after g; with the tokens of step g drawn they are compared with the same
/// images with the real ones. Distances, FD∞ of features, are summed over the steps as what steps lose is. Of ``texture`` the
/// windows with at least two tokens of the step count, by their share of all windows: others have nothing that drawing in
/// parallel could lose.
struct TeacherForcedDistance {
  /// The steps whose tokens are drawn together, or some of them spread evenly, each of which stands for `weight` steps.
  struct Choice: Hashable {
    let steps: [Int]
    let weight: Double

    init(of order: GenerationOrder, most: Int) {
      let several = order.steps.indices.filter { order.steps[$0].count > 1 }
      guard several.count > most else {
        (steps, weight) = (several, 1)
        return
      }
      let share = Double(several.count) / Double(most)
      steps = (0..<most).map { several[Int((Double($0) + 0.5) * share)] }
      weight = share
    }
  }

  private let order: GenerationOrder
  private let grid: TokenGrid
  private let dimensions: Int
  private let images: Int
  private let codebook: FloatMatrix
  private let imageIDs: [UInt32]?
  private let seed: UInt64
  /// Of the real images, images × N × d, about their mean.
  private let features: [Float]
  private let mean: [Float]

  /// - Parameter real: The images whose steps are drawn, with codes.
  init(order: GenerationOrder, real: TokenDataset, seed: UInt64) throws {
    guard let codebook = real.codebook else { throw TrainingError.noCodes(dataset: real.name) }
    (self.order, grid, images, self.codebook, self.seed) = (
      order, real.grid, real.imageCount, codebook, seed
    )
    let d = real.featureDimensions
    dimensions = d
    imageIDs = real.imageIDs
    var features = try real.features(ofImages: 0..<real.imageCount)
    var sums = [Double](repeating: 0, count: d)
    for (place, value) in features.enumerated() { sums[place % d] += Double(value) }
    let mean = sums.map { Float($0 / Double(max(features.count / d, 1))) }
    for place in features.indices { features[place] -= mean[place % d] }
    (self.features, self.mean) = (features, mean)
  }

  /// The distances of drawn steps, `forced_parallel_…`, `forced_one_…` and `forced_excess_…`, by texture and structure.
  func measure(
    _ steps: [TeacherForcedSampler.Step], weight: Double
  ) throws -> ComparisonMeasurement {
    var result = ComparisonMeasurement()
    for name in [ExtractorName.texture, .structure] {
      var sums = (parallel: Sum(), one: Sum())
      for step in steps {
        let cells = order.steps[step.step]
        let real = try dataset(step: step.step, drawn: nil)
        let features: any FeatureExtractor
        var share = weight
        if name == .texture {
          let windows = StepWindows(cells: Set(cells), grid: grid, channels: dimensions)
          // Nothing that these windows show depends on how the step is drawn.
          guard !windows.windows.isEmpty else { continue }
          features = windows
          share *= Double(windows.windows.count) / Double(windows.all)
        } else {
          features = try StructureExtractor(for: real)
        }
        guard let extractor = try VaryingFeatures(of: features, in: real) else { continue }
        let reference = try FeatureSet(of: real, by: extractor, seed: seed)
        func add(_ drawn: [[Int]], to sum: inout Sum) throws {
          let set = try FeatureSet(
            of: dataset(step: step.step, drawn: drawn), by: extractor, seed: seed,
            shift: reference.shift)
          if let infinity = try FrechetExtrapolation.extrapolate(reference, set) {
            sum.add(infinity, share: share)
          } else {
            let plain = try FrechetDistance(reference.gaussian, set.gaussian)
            sum.value += share * (plain.correctedValue ?? plain.value)
            sum.withoutGroups = nil
            result.notes.append(
              "teacher-forced FD∞ of \(name.rawValue) needs \(FrechetExtrapolation.imagesNeeded(dimensions: extractor.dimensions).grouped) images; FD corrected stands in its place"
            )
          }
        }
        try add(step.parallel, to: &sums.parallel)
        try add(step.oneByOne, to: &sums.one)
      }
      let label = name.rawValue
      result.set("forced_parallel_\(label)", sums.parallel.value, error: sums.parallel.error)
      result.set("forced_one_\(label)", sums.one.value, error: sums.one.error)
      result.set(
        "forced_excess_\(label)", sums.parallel.value - sums.one.value,
        error: sums.parallel.errorOfDifference(from: sums.one))
    }
    result.notes = result.notes.removingRepeats
    return result
  }

  /// A sum over steps. All are of the same images in the same groups, and so are the errors: they come from the sums without each
  /// group.
  private struct Sum {
    var value = 0.0
    var withoutGroups: [Double]? = []

    var error: Double? { withoutGroups.map { $0.isEmpty ? 0 : jackknifeError(of: $0) } }

    mutating func add(_ distance: FrechetExtrapolation, share: Double) {
      value += share * distance.estimate.value
      guard let sums = withoutGroups else { return }
      let more = distance.withoutGroups.map { share * $0 }
      withoutGroups = sums.isEmpty ? more : zip(sums, more).map(+)
    }

    func errorOfDifference(from other: Sum) -> Double? {
      guard let a = withoutGroups, let b = other.withoutGroups else { return nil }
      return a.isEmpty ? 0 : jackknifeError(of: zip(a, b).map { $0 - $1 })
    }
  }

  /// The images up to a step, blank after it, with the step's tokens drawn or real.
  private func dataset(step: Int, drawn: [[Int]]?) throws -> TokenDataset {
    let (n, d) = (grid.cellCount, dimensions)
    var values = features
    let numbers = order.stepNumbers
    for cell in 0..<n where numbers[cell] > step + 1 {
      for image in 0..<images {
        for channel in 0..<d { values[(image * n + cell) * d + channel] = 0 }
      }
    }
    if let drawn {
      for (image, codes) in drawn.enumerated() {
        for (cell, code) in zip(order.steps[step], codes) {
          for channel in 0..<d {
            values[(image * n + cell) * d + channel] = codebook[code, channel] - mean[channel]
          }
        }
      }
    }
    return try TokenDataset(
      name: "step \(step + 1) of \(order.name)", grid: grid,
      tokens: .features(values, dimensions: d), imageIDs: imageIDs)
  }
}

/// The features of another extractor that are not the same in all samples of some images: of images that are blank in part those
/// that see something.
struct VaryingFeatures: FeatureExtractor {
  private let whole: any FeatureExtractor
  private let columns: [Int]

  var name: String { whole.name }
  var definition: String { "\(whole.definition); features \(columns)" }
  var dimensions: Int { columns.count }
  var samplesPerImage: Int { whole.samplesPerImage }

  /// - Returns: nil where nothing varies.
  init?(of whole: any FeatureExtractor, in dataset: TokenDataset) throws {
    let features = try whole.features(of: dataset, images: 0..<dataset.imageCount)
    let varying = (0..<features.columns).filter { column in
      (1..<features.rows).contains { features[$0, column] != features[0, column] }
    }
    guard !varying.isEmpty else { return nil }
    (self.whole, columns) = (whole, varying)
  }

  func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    let features = try whole.features(of: dataset, images: images)
    if columns.count == features.columns { return features }
    var elements: [Float] = []
    elements.reserveCapacity(features.rows * columns.count)
    for row in 0..<features.rows {
      for column in columns { elements.append(features[row, column]) }
    }
    return FloatMatrix(rows: features.rows, columns: columns.count, elements: elements)
  }
}

/// The 3 × 3 windows of a frame that hold at least two of some cells, each a sample of 9·d numbers.
struct StepWindows: FeatureExtractor {
  let name = ExtractorName.texture.rawValue
  let definition: String
  let dimensions: Int
  /// The raster indices of every window's tokens.
  let windows: [[Int]]
  /// How many windows there are, those with fewer of the cells among them.
  let all: Int

  var samplesPerImage: Int { windows.count }

  init(cells: Set<Int>, grid: TokenGrid, channels: Int) {
    var windows: [[Int]] = []
    for frame in 0..<grid.frames {
      for row in 0..<max(grid.rows - 2, 0) {
        for column in 0..<max(grid.columns - 2, 0) {
          windows.append(
            (0..<9).map {
              grid.index(
                of: GridCell(frame: frame, row: row + $0 / 3, column: column + $0 % 3))
            })
        }
      }
    }
    all = windows.count
    self.windows = windows.filter { $0.count(where: cells.contains) > 1 }
    dimensions = 9 * channels
    definition = "texture 1, windows with at least two of \(cells.sorted()); grid \(grid)"
  }

  func features(of dataset: TokenDataset, images: Range<Int>) throws -> FloatMatrix {
    try dataset.features(ofWindows: windows, images: images)
  }
}
