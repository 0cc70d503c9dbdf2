import EntropyEstimation
import Reporting
import TokenData

/// Warns of numbers that decide the entropies of their channels by themselves: what a slip in the data does, and totals do not
/// show.
///
/// For continuous tokens; codes have the numbers of their codebook.
/// - Parameter imageName: How an image of the features is called.
func warnOfDominantNumbers(
  in features: some TokenFeatures, imageName: (Int) -> String
) throws {
  let numbers = try features.dominantNumbers()
  guard let first = numbers.first else { return }
  let others =
    numbers.count == 1
    ? ""
    : "; so it is with single images in \((numbers.count - 1).grouped) more channel\(numbers.count == 2 ? "" : "s") of"
      + " tokens"
  report(
    "warning: \(features.name): \(imageName(first.image)) has \((100 * first.share).fixed(1)) % of the variance of channel"
      + " \(first.channel) of token \(first.cell.description(on: features.grid)), as a slip in the data would, and"
      + " decides what that channel tells\(others)")
}
