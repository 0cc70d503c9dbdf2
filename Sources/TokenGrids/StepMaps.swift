/// The step in which each cell of each of m images was generated, as an adaptive sampler has recorded it.
///
/// Such samplers choose from image to image which tokens to draw together. Only the ranking of an image's numbers counts:
/// cells with equal numbers are one step. (EB-Sampler, Fast-dLLM, MaskGIT's confidence, ZipAR's adaptive window.)
public struct StepMaps: Hashable, Sendable {
  /// The grid of all images.
  public let grid: TokenGrid
  /// m.
  public let imageCount: Int
  /// The rank of the cell's step among the image's, from 1: (m, N), image by image, raster order within.
  private let ranks: [Int32]

  /// Makes maps from step numbers, m × N, image by image, raster order within.
  ///
  /// - Throws: ``StepMapsError`` when there is no image, the numbers are no whole maps, or a number is negative, as samplers
  ///   mark cells that they have not generated.
  /// - Complexity: O(m·N log N).
  public init(numbers: [Int], grid: TokenGrid) throws(StepMapsError) {
    let cells = grid.cellCount
    guard !numbers.isEmpty, numbers.count.isMultiple(of: cells) else {
      throw .notWholeMaps(numbers: numbers.count, grid: grid)
    }
    var ranks: [Int32] = []
    ranks.reserveCapacity(numbers.count)
    for image in 0..<numbers.count / cells {
      let map = numbers[image * cells..<(image + 1) * cells]
      if let hole = map.firstIndex(where: { $0 < 0 }) {
        throw .notGenerated(
          image: image, cell: grid.cell(at: hole - image * cells), number: numbers[hole],
          grid: grid)
      }
      let distinct = Set(map).sorted()
      let rank = Dictionary(uniqueKeysWithValues: zip(distinct, Int32(1)...))
      for number in map { ranks.append(rank[number] ?? 0) }
    }
    self.grid = grid
    self.ranks = ranks
    imageCount = numbers.count / cells
  }

  /// Reads a `.npy` array of whole numbers, (m, H, W), or (m, T, H, W) for video.
  ///
  /// - Throws: ``OrderFileError`` when the file is no such array or has another grid, and as ``init(numbers:grid:)``.
  /// - Complexity: O(m·N log N), and reading the file.
  public init(contentsOfFile path: String, grid: TokenGrid) throws {
    let bytes = try GenerationOrder.bytes(ofFile: path)
    guard NpyIntegers.isNpy(bytes) else {
      throw OrderFileError.unusable(
        file: path, reason: "step maps are a .npy array, and this file is none")
    }
    let array = try NpyIntegers(bytes, file: path)
    let sides = (grid.isVideo ? [grid.frames] : []) + [grid.rows, grid.columns]
    guard array.shape.count == sides.count + 1, Array(array.shape.dropFirst()) == sides else {
      throw OrderFileError.unusable(
        file: path,
        reason: "the shape of its step maps is \(array.shape), and the grid here is \(grid):"
          + " [m, \(sides.map(String.init).joined(separator: ", "))] is expected")
    }
    do {
      try self.init(numbers: array.numbers, grid: grid)
    } catch {
      throw OrderFileError.unusable(file: path, reason: error.description)
    }
  }

  /// The order in which an image was generated, raster order within a step.
  ///
  /// - Precondition: `0 ≤ image < imageCount`.
  /// - Complexity: O(N log N).
  public func order(ofImage image: Int) -> GenerationOrder {
    precondition((0..<imageCount).contains(image), "image \(image) of \(imageCount)")
    return GenerationOrder(
      uncheckedName: "image \(image)", grid: grid,
      steps: OrderTable.ranked(ranks(ofImage: image).map(Int.init)))
  }

  /// The number of steps of an image.
  ///
  /// - Precondition: `0 ≤ image < imageCount`.
  public func stepCount(ofImage image: Int) -> Int { Int(ranks(ofImage: image).max() ?? 0) }

  /// The mean of the images' numbers of steps.
  public var meanStepCount: Double {
    Double((0..<imageCount).reduce(0) { $0 + stepCount(ofImage: $1) }) / Double(imageCount)
  }

  /// The fixed order that comes nearest: cells by their mean step, in as many steps as the images take on average.
  ///
  /// After the share x of its steps as many cells are generated as the images have on average after the share x of theirs,
  /// rounded, at least one more each. Cells with equal means are in raster order. Where all images have the same map it is
  /// theirs.
  ///
  /// - Complexity: O(m·N + N log N + m·S) for S steps.
  public var meanOrder: GenerationOrder {
    let cells = grid.cellCount
    var sums = [Int](repeating: 0, count: cells)
    for (place, rank) in ranks.enumerated() { sums[place % cells] += Int(rank) }
    let sequence = (0..<cells).sorted { (sums[$0], $0) < (sums[$1], $1) }
    let steps = min(cells, max(1, Int(meanStepCount.rounded())))
    var generated = [Double](repeating: 0, count: steps + 1)
    for image in 0..<imageCount {
      var ends = [Int](repeating: 0, count: stepCount(ofImage: image) + 1)
      for rank in ranks(ofImage: image) { ends[Int(rank)] += 1 }
      for step in ends.indices.dropFirst() { ends[step] += ends[step - 1] }
      for step in 0...steps {
        let place = Double(step) / Double(steps) * Double(ends.count - 1)
        let before = min(Int(place), ends.count - 2)
        let share = place - Double(before)
        generated[step] += Double(ends[before]) * (1 - share) + Double(ends[before + 1]) * share
      }
    }
    var ends = [0]
    for step in 1...steps {
      let end = Int((generated[step] / Double(imageCount)).rounded())
      ends.append(min(max(end, ends[step - 1] + 1), cells - (steps - step)))
    }
    ends[steps] = cells
    return GenerationOrder(
      uncheckedName: "mean of \(imageCount) step maps", grid: grid,
      steps: zip(ends, ends.dropFirst()).map { Array(sequence[$0..<$1]) })
  }

  private func ranks(ofImage image: Int) -> ArraySlice<Int32> {
    ranks[image * grid.cellCount..<(image + 1) * grid.cellCount]
  }
}

/// Why numbers are no step maps.
public enum StepMapsError: Error, Hashable {
  /// No numbers, or a number of them that is no multiple of the grid's cells.
  case notWholeMaps(numbers: Int, grid: TokenGrid)
  /// A cell with a negative step; images count from 0.
  case notGenerated(image: Int, cell: GridCell, number: Int, grid: TokenGrid)
}

extension StepMapsError: CustomStringConvertible {
  /// One sentence for the user: what was found and what was expected.
  public var description: String {
    switch self {
    case .notWholeMaps(let numbers, let grid):
      numbers == 0
        ? "there is no step map"
        : "\(numbers) step numbers are no maps of the \(grid) grid with \(grid.cellCount) cells each"
    case .notGenerated(let image, let cell, let number, let grid):
      "image \(image) has step \(number) at cell \(cell.description(on: grid)), but a step is from 0"
    }
  }
}
