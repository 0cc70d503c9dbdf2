import Statistics
import TokenData

extension TokenFeatures {
  /// For each image whether it is the first of its photograph's run; errors are clustered by these runs.
  var startsOfGroups: [Bool] {
    guard let groups = imageGroups else { return Array(repeating: true, count: imageCount) }
    return groups.indices.map { $0 == 0 || groups[$0] != groups[$0 - 1] }
  }

  /// The images with those of a photograph together; nil where they are already.
  var arrangedByGroup: ImageSubset<Self>? {
    guard let groups = imageGroups.map({ Photographs($0) }), !groups.areRuns else { return nil }
    return ImageSubset(of: self, images: groups.images.flatMap { $0 })
  }
}
