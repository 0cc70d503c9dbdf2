import ArgumentParser
import FileFormats
import Reporting
import TokenData
import VisualTokenizers

/// `tokenize decode FILE --select 0..15 --output sheet.png`: tokens back to pictures.
struct TokenizeDecode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn tokens back into images, on one contact sheet (PNG).",
    usage: """
      tokenize decode <tokens> [--select <numbers>] [--vq <file>]
                      [--columns <columns>] --output <file.png>
      """,
    discussion: """
      EXAMPLES
        tokenize decode photos.h5 --select 0..15 --output sheet.png
        tokenize decode --tokens imagenet.h5 --vq vq_ds16_c2i.pt -o sheet.png
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<DecodedTokens>

  @Option(
    help: ArgumentHelp(
      "Which images, by number from 0: a list of numbers and ranges, as in 0..15 or 3,8,20..29. (default: 0..15)",
      valueName: "numbers"))
  var select: ImageSelection?

  @Option(name: .customLong("images"), help: .hidden) var formerSelect: ImageSelection?

  @Option(
    help: ArgumentHelp(
      "Decode with this VQ-16 tokenizer, a checkpoint (.safetensors, .pt), instead of the file's own decoder.",
      valueName: "file"))
  var vq: String?

  @Option(help: "How many images stand side by side; the default makes the sheet about square.")
  var columns: Int?

  @Option(name: .shortAndLong, help: ArgumentHelp("The PNG file to write.", valueName: "file.png"))
  var output: String

  func validate() throws {
    try renamed(select, "--select", formerly: formerSelect, "--images")
    if let columns, columns < 1 {
      throw ValidationError("--columns is \(columns); at least 1 is expected")
    }
  }

  func run() throws {
    let tokens = tokens.dataset
    let dataset = try tokens.open()
    try checkOutput(output, inputs: [vq])
    let images = select ?? formerSelect ?? ImageSelection(ranges: [0...15])
    let numbers = try images.numbers(below: dataset.imageCount, in: tokens.displayName)
    let pictures: [RGBImage]
    if let vq {
      let decoder = try VQDecoder(TensorFile.open(vq))
      pictures = try numbers.map { try decoder.decode(image: $0, of: dataset) }
    } else {
      let decoder: TokenImages
      do { decoder = try TokenImages(of: dataset) } catch ImageDecoderError.noDecoder {
        throw UndecodableTokens(
          dataset: tokens.displayName, tokenizer: dataset.attributes.tokenizer)
      }
      pictures = try numbers.map { try decoder.image($0) }
    }
    let sheet = RGBImage(contactSheetOf: pictures, columns: columns)
    try sheet.writePNG(to: output)
    try printText("\(output): \(numbers.count) images, \(sheet.width)x\(sheet.height) pixels")
  }
}

/// A dataset that does not say what its tokens look like.
struct UndecodableTokens: Error, Equatable, CustomStringConvertible {
  let dataset: String
  /// What made the tokens; empty where that is not recorded.
  let tokenizer: String

  var description: String {
    let made = tokenizer.isEmpty ? "" : " (made by \(tokenizer))"
    return """
      \(dataset): has no /decoder from its tokens\(made) to pixels, so they cannot be shown as images; \
      tokens of `tokenize --images` have one, and --vq decodes those of VQ-16
      """
  }
}
