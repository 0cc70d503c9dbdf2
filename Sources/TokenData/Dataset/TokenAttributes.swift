/// Where a dataset comes from, in words: the root attributes of the file.
public struct TokenAttributes: Hashable, Sendable, Codable {
  /// What turned the images into tokens, as in `patch-pca-kmeans`.
  public var tokenizer: String
  /// What the images are and where they come from.
  public var source: String
  /// The licence of the images, as in `CC0-1.0`.
  public var license: String
  /// The program that wrote the file, with its version and command line.
  public var createdBy: String
  /// Which images of a larger run these are; nil where they are all of them, or nobody counted.
  public var part: RunPart?

  /// Collects the four texts, of which those left out are empty, and the place in a run.
  public init(
    tokenizer: String = "", source: String = "", license: String = "", createdBy: String = "",
    part: RunPart? = nil
  ) {
    self.tokenizer = tokenizer
    self.source = source
    self.license = license
    self.createdBy = createdBy
    self.part = part
  }

  /// The same of some of the images, which are no part of a run in its order.
  var ofSelection: TokenAttributes {
    var attributes = self
    attributes.part = nil
    return attributes
  }
}

/// The place of a dataset's images in a run that several processes share: the attributes `first_image` and `images_in_all`.
public struct RunPart: Hashable, Sendable, Codable {
  /// The number of the first image in the run, from 0.
  public var firstImage: Int
  /// How many images the run has.
  public var imagesInAll: Int

  /// Collects the numbers.
  public init(firstImage: Int, imagesInAll: Int) {
    self.firstImage = firstImage
    self.imagesInAll = imagesInAll
  }

  /// The place that a file tells, where it has room for so many images.
  init?(firstImage: Int?, imagesInAll: Int?, images: Int) {
    guard let firstImage, let imagesInAll, firstImage >= 0, images <= imagesInAll,
      firstImage <= imagesInAll - images
    else { return nil }
    self.init(firstImage: firstImage, imagesInAll: imagesInAll)
  }
}
