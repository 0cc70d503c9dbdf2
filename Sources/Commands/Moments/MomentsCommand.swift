import ArgumentParser
import Reporting

/// `moments`: sums over shards of images, which add up.
public struct MomentsCommand: ParsableCommand {
  /// The name, the help and the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "moments",
    abstract: "Sums over shards of images, for sets that one machine is too small for.",
    discussion: """
      EXAMPLES
        moments --tokens shard-1.h5 --output part-1.h5
            Count, mean and scatter of a shard; on any machine, in any order.
        moments --tokens codes.h5 --images 3/32 --output part-3.h5
            The same of the third of 32 shares of one file.
        moments merge part-*.h5 --output all.h5
        order-compare raster distant --moments all.h5 --bound wishart
            A closed form needs no more.

      THE DEBIASED BOUND reads the images twice more, each time in shards:
        moments residuals raster distant --moments all.h5 --tokens shard-1.h5 \\
          --output residuals-1.h5
        moments merge residuals-*.h5 --output residuals.h5
        moments influences --moments all.h5 --residuals residuals.h5 \\
          --tokens shard-1.h5 --output influences-1.h5
        moments merge influences-*.h5 --output influences.h5
        order-compare --moments all.h5 --influences influences.h5
            The numbers and errors of one process, but for rounding.

      Files say which images they were made of: a shard that is read twice, or is
      missing, is refused. A step that failed is run again; its file is there
      whole or not at all.

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [
      MomentsAccumulate.self, MomentsMerge.self, MomentsResiduals.self, MomentsInfluences.self,
      MomentsInfo.self,
    ],
    defaultSubcommand: MomentsAccumulate.self)

  /// Makes the command.
  public init() {}
}
