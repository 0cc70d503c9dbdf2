import ArgumentParser
import Reporting

/// `fid-compare`: how close generated tokens are to real ones.
public struct FidCompareCommand: ParsableCommand {
  /// The name, the help and the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "fid-compare",
    abstract: "Compare generated images with real ones by proxies of the FID.",
    discussion: """
      EXAMPLES
        fid-compare
            Two models, each sampled in 39 orders of generation and measured;
            about half an hour.
        fid-compare raster distant distant:n=16 --quick
            A trial of a few minutes.
        fid-compare --architecture par
            The paper's configurations at small scale: eleven models trained,
            sampled and measured; about an hour.
        fid-compare proxies real.h5 generated.h5
            Fréchet and kernel distances, precision, recall, density, coverage
            and dependencies.
        fid-compare proxies real.h5 generated.h5 --extractor texture --json
            One extractor, for another program.
        fid-compare proxies real.h5 generated.h5 --order distant
            Also how the order's entropies differ.
        fid-compare statistics --tokens real.h5 --extractor structure -o real.npz
            Mean and covariance, as other programs exchange them; merge-statistics
            adds those of parts (--images i/N).
        fid-compare frechet real.npy generated.npy
            The same distances between features of a network of yours, as the FID is.

      Proxies are computed from the tokens by extractors that nobody trained; they
      are not the FID and compare only with each other.

      \(exitStatusHelp)
      """,
    version: versionText,
    subcommands: [
      FidCompareRun.self, FidCompareProxies.self, FidCompareFrechet.self,
      FidCompareStatistics.self, FidCompareMergeStatistics.self,
    ],
    defaultSubcommand: FidCompareRun.self)

  /// Makes the command.
  public init() {}
}
