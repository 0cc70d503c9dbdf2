import FileFormats
import Files
import Foundation
import Reporting
import TokenData
import VisualTokenizers

extension TokenizeImages {
  /// `tokenize --images DIR --vq FILE`: encodes with a VQ-16 tokenizer.
  func runVQ(checkpoint path: String) throws {
    let folder = try ImageFolder(path: images)
    reportEmptyFolders(of: folder)
    let tokenization = try VQTokenization(
      folder: folder, encoder: VQEncoder(TensorFile.open(path)), side: size ?? 384,
      enlarges: enlarge)
    let provenance = Provenance(
      input: path, inputHash: try ContentHash(ofFileAt: path).description)
    let progress = ProgressLine("encoding", total: folder.entries.count, unit: "images")
    try checkOutput(output, inputs: [path] + folder.entries.map(\.path))
    let clock = Stopwatch()
    let summary = try tokenization.run(
      writingTo: output,
      attributes: TokenAttributes(
        tokenizer: VQTokenization.tokenizerName, source: record.source, license: record.license,
        createdBy: "token-entropy \(provenance.version): \(provenance.commandLine)"),
      progress: { progress.update($0) },
      leftOut: { error in
        progress.finish()
        report("left out: \(error)")
      })
    progress.finish()
    let result = VQTokenizeReport(
      output: output, folder: folder, tokenization: tokenization, summary: summary,
      provenance: provenance.finished(after: clock))
    if json.isWanted { try printJSON(result) } else { try printText(result.text) }
  }
}

/// What `tokenize --images --vq` prints.
struct VQTokenizeReport: Encodable {
  let command = "tokenize"
  let output: String
  let images: Int
  let imagesLeftOut: Int
  let classes: [String]
  let grid: [Int]
  let size: Int
  let codes: Int
  let codesUsed: Int
  let provenance: Provenance

  init(
    output: String, folder: ImageFolder, tokenization: VQTokenization,
    summary: VQTokenization.Summary, provenance: Provenance
  ) {
    self.output = output
    images = summary.imageCount
    imagesLeftOut = summary.leftOut.count
    classes = folder.classNames
    grid = [tokenization.grid.rows, tokenization.grid.columns]
    size = tokenization.side
    codes = summary.codeCounts.count
    codesUsed = summary.codeCounts.count { $0 > 0 }
    self.provenance = provenance
  }

  var text: String {
    var lines = [
      "\(output): \(images) images of \(size)x\(size) pixels as \(grid[0])x\(grid[1]) tokens",
      "codebook: \(codes) entries, \(codesUsed) used",
    ]
    lines += folderLines(classes: classes, imagesLeftOut: imagesLeftOut)
    return lines.joined(separator: "\n")
  }
}
