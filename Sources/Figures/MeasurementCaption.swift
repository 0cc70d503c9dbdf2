/// What a figure's numbers were measured on and how: the facts every caption gives.
public struct MeasurementCaption: Sendable {
  /// The data, as the user knows it.
  public var data: String
  /// m, the number of images.
  public var images: Int
  /// d, the number of feature dimensions of a token.
  public var featureDimensions: Int
  /// The entropy bound, by its name on the command line.
  public var bound: String

  /// Makes a caption from its facts.
  public init(data: String, images: Int, featureDimensions: Int, bound: String) {
    self.data = data
    self.images = images
    self.featureDimensions = featureDimensions
    self.bound = bound
  }

  /// The facts in one line.
  public var text: String {
    let space = "\u{A0}"  // keeps a symbol, its value and its unit on one line
    return
      "Data: \(data); m\(space)=\(space)\(NumberText.grouped(images))\(space)images,"
      + " d\(space)=\(space)\(featureDimensions) feature dimensions; bound: \(bound)."
  }
}
