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

  /// Collects the four texts; those left out are empty.
  public init(
    tokenizer: String = "", source: String = "", license: String = "", createdBy: String = ""
  ) {
    self.tokenizer = tokenizer
    self.source = source
    self.license = license
    self.createdBy = createdBy
  }
}
