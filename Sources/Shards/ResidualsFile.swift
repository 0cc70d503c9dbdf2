import EntropyEstimation
import FileFormats
import LinearAlgebra
import TokenGrids

extension StoredResiduals {
  /// Writes a file of residual sums, in place of one that may be there.
  ///
  /// - Parameter createdBy: The program and its version.
  /// - Throws: `FileError` when it cannot be written; then nothing is left behind.
  public func write(to path: String, createdBy: String) throws {
    try SumsFile.write(.residuals, to: path) { root in
      try root.setAttribute("created_by", createdBy)
      try root.setAttribute("moments_hash", momentsHash)
      try root.setAttribute("given", isGivenClass ? "class" : "none")
      // As text, which reads back to the same number.
      try root.setAttribute("jitter", "\(jitter)")
      try root.setAttribute("image_count", imageCount)
      try root.setAttribute("phase", hasInfluences ? "influences" : "residuals")
      if let grid = orders.first?.grid { try root.write(grid) }
      try root.write(parts)
      try root.write(orders.map(\.name), to: "order_names")
      for (k, order) in orders.enumerated() {
        let group = try root.createGroup("order_\(k)")
        let n = order.grid.cellCount
        try group.write(order.sequence.map(Int64.init), shape: [n], to: "sequence")
        let sizes = order.steps.map { Int64($0.count) }
        try group.write(sizes, shape: [sizes.count], to: "group_sizes")
        try group.write(residuals[k], shape: [residuals[k].count], to: "residuals")
        guard let influences else { continue }
        let fallbacks = influences.fallbacks[k].sorted().map(Int64.init)
        if !fallbacks.isEmpty {
          try group.write(fallbacks, shape: [fallbacks.count], to: "fallbacks")
        }
        try group.write(
          influences.sums[k].flatMap(\.numbers),
          shape: [influences.sums[k].count, RunSums.numberCount], to: "influences")
      }
      if let pairs = influences?.pairs, !pairs.isEmpty {
        try root.write(
          pairs.flatMap(\.numbers), shape: [pairs.count, RunSums.numberCount], to: "pairs")
      }
    }
  }

  /// Reads a file of residual sums.
  ///
  /// - Throws: ``ShardError`` that names the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    self = try SumsFile.read(.residuals, from: path) { root in
      try Self(SumsReader(root: root, path: path))
    }
  }

  private init(_ file: SumsReader) throws {
    let grid = try file.grid()
    let names = try file.texts("order_names")
    guard !names.isEmpty else { throw file.fail("/order_names is empty") }
    guard let jitter = Double(try file.text("jitter")), jitter >= 0, jitter.isFinite else {
      throw file.fail("the attribute jitter is no number that is not negative")
    }
    let (phase, given) = (try file.text("phase"), try file.text("given"))
    guard ["residuals", "influences"].contains(phase), ["class", "none"].contains(given) else {
      throw file.fail(
        "its phase is \(phase) and its condition \(given), which this program does not know")
    }
    let hasInfluences = phase == "influences"
    let (parts, imageCount) = (try file.parts(), try file.count("image_count", atLeast: 0))
    let held = parts.parts.reduce(0) { $0 + $1.images.count }
    guard imageCount == held || given == "class" && imageCount < held else {
      throw file.fail("/parts has \(held) images and the attribute image_count \(imageCount)")
    }
    func runSums(_ numbers: [Double], _ name: String) throws -> [RunSums] {
      try stride(from: 0, to: numbers.count, by: RunSums.numberCount).map {
        let row = numbers[$0..<$0 + RunSums.numberCount]
        let first = row.startIndex
        // A count of images, and sums of squares.
        guard row[first] == Double(imageCount), row[first + 3] >= 0, row[first + 4] >= 0,
          row[first + 4] <= row[first], row[first + 5] >= 0, row[first + 7] >= 0
        else { throw file.fail("row \($0 / RunSums.numberCount) of /\(name) is not that of sums") }
        return RunSums(numbers: row)
      }
    }
    var orders: [GenerationOrder] = []
    var residuals: [[Double]] = []
    var (fallbacks, sums): ([Set<Int>], [[RunSums]]) = ([], [])
    for (k, name) in names.enumerated() {
      guard let group = try file.root.group("order_\(k)") else {
        throw file.fail("/order_\(k) is missing")
      }
      let part = SumsReader(root: group, path: file.path, group: "order_\(k)/")
      let sequence = try part.counts("sequence", shape: [grid.cellCount])
      let sizes = try part.counts("group_sizes", shape: [nil])
      do throws(GenerationOrderError) {
        orders.append(
          try GenerationOrder(name: name, grid: grid, sequence: sequence, groupSizes: sizes))
      } catch {
        throw file.fail("/order_\(k) is no order: \(error)")
      }
      residuals.append(try part.numbers("residuals", shape: [nil]))
      guard hasInfluences else { continue }
      let noisy =
        try group.dataset("fallbacks") == nil ? [] : part.counts("fallbacks", shape: [nil])
      guard noisy.allSatisfy({ $0 < grid.cellCount }) else {
        throw file.fail("/order_\(k)/fallbacks has a position that is none")
      }
      fallbacks.append(Set(noisy))
      sums.append(
        try runSums(
          part.numbers("influences", shape: [nil, RunSums.numberCount]), "order_\(k)/influences"))
    }
    let pairCount = names.count * (names.count - 1) / 2
    self.init(
      name: file.path, momentsHash: try file.text("moments_hash"),
      isGivenClass: given == "class", jitter: jitter, orders: orders,
      parts: parts, imageCount: imageCount,
      residuals: residuals,
      influences: hasInfluences
        ? Influences(
          fallbacks: fallbacks, sums: sums,
          pairs: pairCount == 0
            ? []
            : try runSums(file.numbers("pairs", shape: [pairCount, RunSums.numberCount]), "pairs"))
        : nil)
  }
}
