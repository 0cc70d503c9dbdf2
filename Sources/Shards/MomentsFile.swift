import EntropyEstimation
import FileFormats
import Files
import LinearAlgebra
import SystemResources
import TokenGrids

extension StoredMoments {
  /// Numbers that are written or read at a time: some megabytes.
  private static let run = 1 << 20

  /// Writes a moments file, in place of one that may be there.
  ///
  /// - Parameter createdBy: The program and its version.
  /// - Throws: `FileError` when it cannot be written; then nothing is left behind.
  /// - Complexity: 4·(n·d)² bytes.
  public func write(to path: String, createdBy: String) throws {
    try SumsFile.write(.moments, to: path) { root in
      try root.setAttribute("created_by", createdBy)
      try root.setAttribute("feature_dimensions", featureDimensions)
      try root.setAttribute("image_count", imageCount)
      try root.setAttribute("photograph_count", photographCount)
      try root.setAttribute("precision", precision.name)
      if let codebookHash { try root.setAttribute("codebook_hash", codebookHash) }
      try root.write(grid)
      try root.write(parts)
      let numbers = moments.mean.count
      try root.write(moments.mean, shape: [numbers], to: "mean")
      if let scale = moments.roundingScale {
        try root.write(scale, shape: [numbers], to: "rounding_scale")
      }
      let scatter = try root.createDataset(
        "scatter", of: Double.self, shape: [numbers * (numbers + 1) / 2])
      var (rows, place): ([Double], Int) = ([], 0)
      for i in 0..<numbers {
        rows += moments.scatter.elements[i * numbers...i * numbers + i]
        if rows.count >= Self.run || i == numbers - 1 {
          try scatter.write(rows, fromRow: place)
          place += rows.count
          rows.removeAll(keepingCapacity: true)
        }
      }
      guard let classes else { return }
      let count = classes.labels.count
      let group = try root.createGroup("classes")
      try group.write(classes.labels, shape: [count], to: "label")
      try group.write(classes.counts.map(Int64.init), shape: [count], to: "image_count")
      try group.write(classes.means, shape: [count, numbers], to: "mean")
      if !classes.names.isEmpty { try group.write(classes.names, to: "name") }
    }
  }

  /// Reads a moments file.
  ///
  /// - Throws: ``ShardError`` that names the file and what is wrong with it, and for too little memory.
  /// - Complexity: 8·(n·d)² bytes of memory.
  public init(contentsOf path: String) throws {
    self = try SumsFile.read(.moments, from: path) { root in
      try Self(SumsReader(root: root, path: path))
    }
  }

  private init(_ file: SumsReader) throws {
    let grid = try file.grid()
    let channels = try file.count("feature_dimensions", atLeast: 1)
    let (numbers, overflow) = grid.cellCount.multipliedReportingOverflow(by: channels)
    guard !overflow, numbers < 1 << 24 else {
      throw file.fail("\(channels) channels of a \(grid) grid are too many")
    }
    let images = try file.count("image_count", atLeast: 1)
    let mean = try file.numbers("mean", shape: [numbers])
    guard let precision = TokenMoments.Precision(name: try file.text("precision")) else {
      throw file.fail("the attribute precision is neither mixed nor double")
    }
    let scale =
      precision == .mixed ? try file.numbers("rounding_scale", shape: [numbers]) : nil
    let stored = try file.dataset("scatter", shape: [numbers * (numbers + 1) / 2])
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        8 * Double(numbers) * Double(numbers), for: "products of \(numbers) numbers")
    } catch {
      throw ShardError.tooLittleMemory(file.path, error)
    }
    var scatter = Matrix(rows: numbers, columns: numbers)
    var next = 0
    while next < numbers {
      // Whole rows of the triangle.
      var end = next + 1
      let first = next * (next + 1) / 2
      while end < numbers, (end + 1) * (end + 2) / 2 - first <= Self.run { end += 1 }
      let values = try stored.read(rows: first..<end * (end + 1) / 2, as: Double.self)
      var place = 0
      for i in next..<end {
        for j in 0...i {
          let value = values[place]
          guard value.isFinite else {
            throw file.fail("the product of numbers \(i) and \(j) in /scatter is \(value)")
          }
          scatter.elements[i * numbers + j] = value
          place += 1
        }
        guard scatter.elements[i * numbers + i] >= 0 else {
          throw file.fail("the sum of squares of number \(i) in /scatter is negative")
        }
      }
      next = end
    }
    let photographs = try file.count("photograph_count", atLeast: 1)
    guard photographs <= images else {
      throw file.fail("has \(photographs) photographs of \(images) images")
    }
    let parts = try file.parts()
    guard parts.parts.reduce(0, { $0 + $1.images.count }) == images else {
      throw file.fail("/parts has other images than the attribute image_count says")
    }
    self.init(
      moments: TokenMoments(
        name: file.path, grid: grid, featureDimensions: channels, imageCount: images, mean: mean,
        scatter: scatter, roundingScale: scale),
      classes: try Self.classes(file, numbers: numbers, images: images),
      codebookHash: try file.root.stringAttribute("codebook_hash"),
      photographCount: photographs, parts: parts)
  }

  private static func classes(
    _ file: SumsReader, numbers: Int, images: Int
  ) throws -> ClassMeans? {
    guard let group = try file.root.group("classes") else { return nil }
    let file = SumsReader(root: group, path: file.path, group: "classes/")
    let labels = try file.counts("label", shape: [nil])
    let counts = try file.counts("image_count", shape: [labels.count])
    guard zip(labels, labels.dropFirst()).allSatisfy({ $0 < $1 }),
      labels.allSatisfy({ $0 < 1 << 32 }),
      counts.allSatisfy({ $0 > 0 }), counts.reduce(0, +) == images
    else { throw file.fail("/classes has labels or counts that do not fit the images") }
    let names = try group.dataset("name") == nil ? [] : file.texts("name")
    guard names.isEmpty || (labels.last ?? 0) < names.count else {
      throw file.fail("/classes/name has \(names.count) names, too few for the labels")
    }
    return ClassMeans(
      labels: labels.map { UInt32($0) }, counts: counts,
      means: try file.numbers("mean", shape: [labels.count, numbers]),
      names: names, numbers: numbers)
  }
}
