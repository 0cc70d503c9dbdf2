import TokenData

/// Which images were cut from the same photograph.
struct ImageGroups {
  /// The images of each photograph, photographs in the order of their first images.
  let images: [[Int]]

  init(_ groups: [UInt32]) {
    var places: [UInt32: Int] = [:]
    var images: [[Int]] = []
    for (image, group) in groups.enumerated() {
      if let place = places[group] {
        images[place].append(image)
      } else {
        places[group] = images.count
        images.append([image])
      }
    }
    self.images = images
  }

  /// Whether the images of every photograph stand together.
  var areRuns: Bool {
    images.allSatisfy { $0[$0.count - 1] - $0[0] == $0.count - 1 }
  }
}

extension TokenFeatures {
  /// For each image whether it is the first of its photograph's run; errors are clustered by these runs.
  var startsOfGroups: [Bool] {
    guard let groups = imageGroups else { return Array(repeating: true, count: imageCount) }
    return groups.indices.map { $0 == 0 || groups[$0] != groups[$0 - 1] }
  }

  /// The images with those of a photograph together; nil where they are already.
  var arrangedByGroup: ImageSubset<Self>? {
    guard let groups = imageGroups.map(ImageGroups.init), !groups.areRuns else { return nil }
    return ImageSubset(of: self, images: groups.images.flatMap { $0 })
  }
}
