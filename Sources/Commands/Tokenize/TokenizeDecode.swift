import ArgumentParser
import FileFormats
import Reporting
import TokenData
import TokenGrids
import VisualTokenizers

/// `tokenize decode FILE --select 0..15 --output sheet.png`: tokens back to pictures.
struct TokenizeDecode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn tokens back into images: one contact sheet, or an array of all of them.",
    usage: """
      tokenize decode <tokens> [--select <numbers>] [--vq <file>]
                      [--columns <columns>] [--output <file.png>]
                      [--npz <file.npz>]
      """,
    discussion: """
      EXAMPLES
        tokenize decode photos.h5 --select 0..15 --output sheet.png
        tokenize decode --tokens imagenet.h5 --vq vq_ds16_c2i.pt -o sheet.png
        tokenize decode codes.npy --vq vq_ds16_c2i.pt --npz images.npz
            All images as the evaluator of ADM reads them: arr_0, unsigned bytes
            (images, rows, columns, 3), and arr_1, the classes where they are known.
      """)

  @OptionGroup(title: "Tokens") var tokens: DatasetArgumentOrOption<DecodedTokens>

  @Option(
    help: ArgumentHelp(
      "Which images, by number from 0: a list of numbers and ranges, as in 0..15 or 3,8,20..29. (default: 0..15 on the sheet, all in --npz)",
      valueName: "numbers"))
  var select: ImageSelection?

  @Option(name: .customLong("images"), help: .hidden) var formerSelect: ImageSelection?

  @Option(
    help: ArgumentHelp(
      "Decode with this VQ-16 tokenizer, a checkpoint (.safetensors, .pt), instead of the file's own decoder; codes of an array are its own without --codebook.",
      valueName: "file"))
  var vq: String?

  @Option(help: "How many images stand side by side; the default makes the sheet about square.")
  var columns: Int?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the images on one sheet, a PNG file.", valueName: "file.png"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Write the images as an array of bytes, as the evaluator of ADM reads them.",
      valueName: "file.npz"))
  var npz: String?

  func validate() throws {
    try renamed(select, "--select", formerly: formerSelect, "--images")
    if let columns, columns < 1 {
      throw ValidationError("--columns is \(columns); at least 1 is expected")
    }
    if output == nil, npz == nil {
      throw ValidationError("--output, for a sheet of images, or --npz, for an array, is needed")
    }
    if output == nil, columns != nil {
      throw ValidationError("--columns is for the sheet of --output")
    }
  }

  func run() throws {
    var tokens = tokens.dataset
    // Codes alone are those of the tokenizer that is to show them.
    if let vq, tokens.arrays.codebook == nil, ArrayTokens.areAt(try tokens.path) {
      tokens.arrays.codebook = vq
    }
    let dataset = try tokens.described()
    for path in [output, npz].compactMap(\.self) { try checkOutput(path, inputs: [vq]) }
    if npz != nil { try requireImages(dataset.grid, for: "--npz") }
    let selection = select ?? formerSelect
    func numbers(or standard: ClosedRange<Int>) throws -> [Int] {
      try (selection ?? ImageSelection(ranges: [standard]))
        .numbers(below: dataset.imageCount, in: tokens.displayName)
    }
    let onSheet = output == nil ? [] : try numbers(or: 0...15)
    let inArray = npz == nil ? [] : try numbers(or: 0...dataset.imageCount - 1)
    let picture = try pictures(of: dataset, named: tokens.displayName)
    if let output {
      let sheet = RGBImage(contactSheetOf: try onSheet.map(picture), columns: columns)
      try sheet.writePNG(to: output)
      try printText("\(output): \(onSheet.count) images, \(sheet.width)x\(sheet.height) pixels")
    }
    if let npz {
      let labels = dataset.labels.map { labels in inArray.map { Int(labels.values[$0]) } }
      let size = try writeImageArchive(npz, numbers: inArray, labels: labels, picture)
      try printText("\(npz): \(inArray.count) images, \(size.width)x\(size.height) pixels")
    }
  }

  /// What shows an image of a number.
  private func pictures(
    of dataset: any DescribedTokens, named name: String
  ) throws -> (Int) throws -> RGBImage {
    if let vq {
      let decoder = try VQDecoder(TensorFile.open(vq))
      return { try decoder.decode(image: $0, of: dataset) }
    }
    do { return try TokenImages(of: dataset).image } catch ImageDecoderError.noDecoder {
      throw UndecodableTokens(dataset: name, tokenizer: dataset.attributes.tokenizer)
    }
  }
}

/// Refuses videos where images are meant.
func requireImages(_ grid: TokenGrid, for option: String) throws {
  guard grid.frames == 1 else {
    throw ValidationError("\(option) is for images, and \(grid) tokens are those of videos")
  }
}

/// Writes images as ADM's evaluator reads them, one after the other.
///
/// - Parameters:
///   - labels: The class of each, where it is known.
///   - picture: The image of a number.
/// - Returns: The size of an image.
/// - Throws: `FileError`, and what `picture` throws; then nothing is left behind.
func writeImageArchive(
  _ path: String, numbers: [Int], labels: [Int]?, _ picture: (Int) throws -> RGBImage
) throws -> (width: Int, height: Int) {
  let first = try picture(numbers[0])
  let archive = try ImageArchiveWriter(
    path: path, count: numbers.count, width: first.width, height: first.height)
  let progress = ProgressLine("images", total: numbers.count, unit: "images")
  for (index, number) in numbers.enumerated() {
    try archive.append(index == 0 ? first : picture(number))
    progress.update(index + 1)
  }
  progress.finish()
  try archive.finish(labels: labels?.map { Int64($0) })
  return (first.width, first.height)
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
