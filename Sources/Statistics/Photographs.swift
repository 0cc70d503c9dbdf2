/// Which images were cut from the same photograph. Images of one are not independent: they are held out, drawn and counted
/// together.
package struct Photographs: Hashable, Sendable {
  /// The images of each photograph, in the order of the data; photographs in the order of their first images.
  package let images: [[Int]]
  /// Which photograph that is.
  private let ids: [UInt32]

  /// Groups images by the numbers of their photographs.
  ///
  /// - Complexity: O(m).
  package init(_ ids: [UInt32]) {
    var places: [UInt32: Int] = [:]
    var images: [[Int]] = []
    var known: [UInt32] = []
    for (image, id) in ids.enumerated() {
      if let place = places[id] {
        images[place].append(image)
      } else {
        places[id] = images.count
        images.append([image])
        known.append(id)
      }
    }
    self.images = images
    self.ids = known
  }

  /// Groups images where their photographs are known; else each stands for itself.
  package init(_ ids: [UInt32]?, imageCount: Int) {
    self.init(ids ?? (0..<imageCount).map { UInt32($0) })
  }

  /// The images of each photograph, photographs in the order of their numbers.
  package var imagesByNumber: [[Int]] {
    ids.indices.sorted { ids[$0] < ids[$1] }.map { images[$0] }
  }

  /// Whether the images of every photograph stand together.
  package var areRuns: Bool {
    images.allSatisfy { $0[$0.count - 1] - $0[0] == $0.count - 1 }
  }

  /// The images of a random half of the photographs, and those of the others, both in the order of the data.
  package func halves(_ generator: inout SeededGenerator) -> ([Int], [Int]) {
    var photographs = images
    generator.shuffle(&photographs)
    let middle = photographs.count / 2
    return (
      photographs[..<middle].flatMap(\.self).sorted(),
      photographs[middle...].flatMap(\.self).sorted()
    )
  }

  /// The images of photographs drawn at random until they are at least `count`, and the others, both in the order of the data.
  package func split(
    drawing count: Int, _ generator: inout SeededGenerator
  ) -> (drawn: [Int], others: [Int]) {
    var photographs = imagesByNumber
    generator.shuffle(&photographs)
    var drawn: [Int] = []
    var others: [Int] = []
    for images in photographs {
      if drawn.count < count { drawn += images } else { others += images }
    }
    return (drawn.sorted(), others.sorted())
  }
}
