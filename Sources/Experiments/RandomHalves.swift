import Statistics
import TokenData

/// Two random halves of a dataset's images; those of one photograph stay together.
package func randomHalves(
  of dataset: TokenDataset, seed: UInt64
) throws -> (TokenDataset, TokenDataset) {
  var generator = SeededGenerator(seed: seed, stream: 4)
  let (first, second) = Photographs(dataset.imageIDs, imageCount: dataset.imageCount)
    .halves(&generator)
  return (try dataset.selecting(images: first), try dataset.selecting(images: second))
}
