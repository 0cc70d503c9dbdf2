import ArgumentParser
import Reporting

/// `tokenize`: images to tokens, what a file of tokens holds, and tokens to images.
public struct TokenizeCommand: ParsableCommand {
  /// The name, the help and the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Turn images into tokens, look at files of tokens, and turn tokens into images.",
    usage: """
      tokenize --images <dir> [options] --output <file.h5>
      tokenize import --codes <path> [options] --output <file.h5>
      tokenize info <file.h5>
      tokenize decode <file.h5> [--select <numbers>] --output <file.png>
      tokenize concat <file.h5> ... --output <file.h5>
      """,
    discussion: """
      EXAMPLES
        tokenize --images photos --output photos.h5
        tokenize --images photos --grid 16x16 --codes 4096 --output photos.h5
        tokenize --images photos --vq vq_ds16_c2i.pt --output photos.h5
        tokenize import --codes imagenet384_codes --codebook vq_ds16_c2i.pt \\
          --count 10000 --output imagenet.h5
        tokenize info photos.h5
        tokenize decode photos.h5 --select 0..15 --output sheet.png
        tokenize concat part-*.h5 --output samples.h5

      All options of the first form: tokenize help images

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [
      TokenizeImages.self, TokenizeImport.self, TokenizeInfo.self, TokenizeDecode.self,
      TokenizeConcat.self,
    ],
    defaultSubcommand: TokenizeImages.self)

  /// Makes the command.
  public init() {}
}
