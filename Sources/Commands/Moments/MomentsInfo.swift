import ArgumentParser
import Reporting
import Shards

/// `moments info FILE`: what a file of sums holds.
struct MomentsInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show what a file of sums holds, and of which images.",
    usage: "moments info <file> [--json]",
    discussion: """
      EXAMPLES
        moments info all.h5
        moments info part-3.h5 --json
      """)

  @Argument(help: "A file of moments, residual sums or influences.")
  var file: String

  @OptionGroup(title: "Results") var json: JSONOption

  func run() throws {
    let report = try MomentsReport(of: file)
    if json.isWanted { try printJSON(report) } else { try printText(report.text) }
  }
}

/// What `moments info` prints.
struct MomentsReport: Encodable {
  /// A run of images.
  struct Part: Encodable {
    let source, sourceHash: String
    /// The first, and the one after the last, counted with those of a photograph together.
    let firstImage, endImage: Int
    let sourceImages: Int

    init(_ part: ShardPart) {
      (source, sourceHash) = (part.source, part.sourceHash)
      (firstImage, endImage) = (part.images.lowerBound, part.images.upperBound)
      sourceImages = part.sourceCount
    }
  }

  let command = "moments info"
  let file: String
  /// moments, residuals or influences.
  let kind: String
  let grid: [Int]
  let images: Int
  /// Nil but for moments.
  let featureDimensions, photographs, classes: Int?
  let precision, codebookHash: String?
  /// Nil for moments.
  let orders: [String]?
  let given: String?
  let jitter: Double?
  let momentsHash: String?
  let isComplete: Bool
  let parts, missing: [Part]

  init(of file: String) throws {
    self.file = file
    let allParts: ShardParts
    switch try SumKind(file) {
    case .moments:
      let moments = try StoredMoments(contentsOf: file)
      kind = "moments"
      grid = moments.grid.jsonExtents
      images = moments.imageCount
      featureDimensions = moments.featureDimensions
      photographs = moments.photographCount
      classes = moments.classes?.labels.count
      precision = moments.precision.name
      codebookHash = moments.codebookHash
      (orders, given, jitter, momentsHash) = (nil, nil, nil, nil)
      allParts = moments.parts
    case .residuals:
      let sums = try StoredResiduals(contentsOf: file)
      kind = sums.hasInfluences ? "influences" : "residuals"
      grid = sums.orders[0].grid.jsonExtents
      images = sums.imageCount
      (featureDimensions, photographs, classes) = (nil, nil, nil)
      (precision, codebookHash) = (nil, nil)
      orders = sums.orders.map(\.name)
      given = sums.isGivenClass ? Condition.class.rawValue : nil
      jitter = sums.jitter
      momentsHash = sums.momentsHash
      allParts = sums.parts
    }
    parts = allParts.parts.map(Part.init)
    missing = allParts.missing.map(Part.init)
    isComplete = missing.isEmpty
  }

  var text: String {
    var table = TextTable("", "")
    table.add(["holds", kind])
    table.add(["images", images.grouped])
    table.add(["grid", grid.map(String.init).joined(separator: "x")])
    if let featureDimensions { table.add(["channels", "\(featureDimensions)"]) }
    if let photographs { table.add(["photographs", photographs.grouped]) }
    if kind == "moments" { table.add(["classes", classes?.grouped ?? "none"]) }
    if let precision { table.add(["precision", precision]) }
    if let codebookHash { table.add(["codebook", codebookHash]) }
    if let orders { table.add(["orders", orders.joined(separator: ", ")]) }
    if let given { table.add(["given", given]) }
    if let jitter, jitter > 0 { table.add(["jitter", "\(jitter)"]) }
    if let momentsHash { table.add(["moments", momentsHash]) }
    for (name, list) in [("made of", parts), ("missing", missing)] {
      for part in list.prefix(40) {
        table.add([
          name,
          part.endImage - part.firstImage == part.sourceImages
            ? "\(part.source), all \(part.sourceImages.grouped) images"
            : "\(part.source), images \(part.firstImage) to \(part.endImage - 1) of \(part.sourceImages.grouped)",
        ])
      }
      if list.count > 40 { table.add([name, "and \(list.count - 40) more"]) }
    }
    return table.text
  }
}
