import ArgumentParser
import Reporting
import TokenGrids

/// `par-train`: PAR transformers learnt from tokens, and what they make of tokens they have not seen.
public struct ParTrainCommand: ParsableCommand {
  /// The command's name and help.
  public static let configuration = CommandConfiguration(
    commandName: "par-train",
    abstract:
      "Train a PAR or an any-order transformer on tokens, or measure one on held-out tokens.",
    usage: """
      par-train [--tokens <file>] [--order <order>] [-n <n>] [options]
                --output-dir <folder>
      par-train --architecture any-order [--tokens <file>] [--orders <orders>]
                [options] --output-dir <folder>
      par-train likelihood <model> [--tokens <file>] [options]
      """,
    discussion: """
      EXAMPLES
        par-train --order distant --tokens-per-step 4 --output-dir run
            A small model of the embedded photographs, with its loss curve.
        par-train --tokens codes.h5 --order raster -n 1 --output-dir run
            A sequential model of your own tokens. Ctrl-C writes a checkpoint.
        par-train --output-dir run --resume
            Goes on where it stopped, and ends with the same bits as if it had not.
        par-train --architecture any-order --orders random:0.5,raster,halton \\
          --output-dir any
            One model for every order.
        par-train likelihood run/model.safetensors
            The negative log-likelihood of every cell of images that were held out.

      All options of training: par-train help train

      \(OrderFamily.help)

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [TrainModel.self, TrainLikelihood.self],
    defaultSubcommand: TrainModel.self)

  /// Makes the command for the parser.
  public init() {}
}
