import ArgumentParser
import Foundation
import Reporting
import TokenData

/// `tokenize info FILE`: what a file of tokens holds.
struct TokenizeInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show the size, the use of the codebook, the labels and the origin of tokens.",
    usage: "tokenize info <tokens> [--codebook <file>] [options]",
    discussion: """
      EXAMPLES
        tokenize info photos.h5
        tokenize info --tokens scenes --json
        tokenize info codes.npy --codebook codebook.npy
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<AnyTokens>
  @OptionGroup(title: "Tokens") var channels: ChannelsOption
  @OptionGroup(title: "Results") var json: JSONOption

  func run() throws {
    let result = try TokenInfoReport(of: tokens.dataset, channels: channels.channels)
    if json.isWanted { try printJSON(result) } else { try printText(result.text) }
  }
}

/// What `tokenize info` prints.
struct TokenInfoReport: Encodable {
  /// How the codebook is used.
  struct Codebook: Encodable {
    let entries: Int
    let used: Int
    let perplexity: Double
    /// In nats.
    let entropy: Double
  }

  /// How many images a class has.
  struct ClassSize: Encodable {
    let name: String
    let images: Int
  }

  let command = "tokenize info"
  let file: String
  /// Nil for a folder of codes.
  let contentHash: String?
  let images: Int
  /// Of a part of a run the number of its first image, and how many images the run has.
  let firstImage, imagesInAll: Int?
  let grid: [Int]
  let featureDimensions: Int
  let codebook: Codebook?
  let classes: [ClassSize]?
  let decoder: String?
  let tokenizer: String
  let source: String
  let license: String
  let createdBy: String

  /// Reads the whole file once, block by block; so what it reports is also sound.
  init(of tokens: DatasetArgument, channels: ChannelPlacement? = nil) throws {
    let dataset = try tokens.described(channels: channels)
    file = tokens.displayName
    contentHash = try dataset.sourceHash()?.description
    images = dataset.imageCount
    firstImage = dataset.attributes.part?.firstImage
    imagesInAll = dataset.attributes.part?.imagesInAll
    grid = dataset.grid.jsonExtents
    featureDimensions = dataset.featureDimensions
    if dataset.codebook != nil {
      let use = try CodeUse(of: dataset)
      codebook = Codebook(
        entries: use.counts.count, used: use.usedCount, perplexity: use.perplexity,
        entropy: use.entropy)
    } else {
      for block in dataset.blocks { _ = try dataset.features(ofImages: block) }
      codebook = nil
    }
    classes = dataset.labels.map { labels in
      var counts = [Int](repeating: 0, count: labels.classCount)
      for label in labels.values { counts[Int(label)] += 1 }
      return counts.enumerated().map { label, count in
        ClassSize(
          name: labels.names.isEmpty ? String(label) : labels.names[label], images: count)
      }
    }
    decoder = dataset.decoder?.kind
    tokenizer = dataset.attributes.tokenizer
    source = dataset.attributes.source
    license = dataset.attributes.license
    createdBy = dataset.attributes.createdBy
  }

  var text: String {
    let cells = grid.reduce(1, *)
    var rows = [
      ("images", images.grouped),
      ("grid", grid.map(String.init).joined(separator: "x") + ", \(cells) tokens an image"),
    ]
    if let firstImage, let imagesInAll {
      rows.append(
        ("part", "images \(firstImage) to \(firstImage + images - 1) of \(imagesInAll), from 0"))
    }
    if let codebook {
      let share = (100 * Double(codebook.used) / Double(codebook.entries)).fixed(1)
      rows += [
        ("codebook", "\(codebook.entries.grouped) entries of \(featureDimensions) channels"),
        ("used", "\(codebook.used.grouped) entries, \(share)%"),
        (
          "perplexity",
          "\(codebook.perplexity.fixed(0)), an entropy of \(codebook.entropy.fixed(3)) nats "
            + "of \(log(Double(codebook.entries)).fixed(3))"
        ),
      ]
    } else {
      rows.append(("features", "continuous, \(featureDimensions) channels"))
    }
    if let classes {
      // A thousand class names would bury the rest.
      let shown = classes.prefix(20).map { "\($0.name) \($0.images.grouped)" }.joined(
        separator: ", ")
      rows.append(
        ("labels", "\(classes.count) classes: \(shown)" + (classes.count > 20 ? ", …" : "")))
    } else {
      rows.append(("labels", "none"))
    }
    rows += [
      ("decoder", decoder ?? "none"), ("tokenizer", tokenizer), ("source", source),
      ("license", license), ("created by", createdBy), ("content", contentHash ?? ""),
    ]
    let lines = rows.map { name, value in
      "  " + name.padding(toLength: 12, withPad: " ", startingAt: 0)
        + (value.isEmpty ? "not recorded" : value)
    }
    return ([file] + lines).joined(separator: "\n")
  }
}
