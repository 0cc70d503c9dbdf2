import SystemResources

/// Memory that grows with the number of images, told before any of it is taken.
package enum TokenMemory {
  /// Refuses more images than memory holds.
  ///
  /// - Parameters:
  ///   - images: How many there are.
  ///   - bytesPerImage: What each takes at the least.
  ///   - what: What of them takes it, in the plural, such as `codes`.
  ///   - source: What the images come from, for the message.
  ///   - available: What there is; nil where that is not known, so that nothing is refused.
  /// - Throws: ``TokenDataError/tooLittleMemory(_:_:fittingImages:)``.
  package static func require(
    images: Int, bytesPerImage: Double, for what: String, source: String,
    available: AvailableMemory? = .now
  ) throws(TokenDataError) {
    do throws(InsufficientMemory) {
      try InsufficientMemory.check(
        Double(images) * bytesPerImage, for: "\(what) of \(images) images", available: available)
    } catch {
      // Something is left over for what is done with them.
      let fitting = 0.8 * error.available.bytes / bytesPerImage
      throw .tooLittleMemory(source, error, fittingImages: Int(fitting).roundedDownToTwoDigits)
    }
  }
}

extension Int {
  /// The same with zeros after its first two digits: free memory is not known any better.
  package var roundedDownToTwoDigits: Int {
    var unit = 1
    while self / unit >= 100 { unit *= 10 }
    return self / unit * unit
  }
}

extension TokenDatasetFile {
  /// Refuses to read more images into memory than it holds.
  ///
  /// - Throws: ``TokenDataError/tooLittleMemory(_:_:fittingImages:)``.
  package func requireMemory(
    images: Int, available: AvailableMemory? = .now
  ) throws(TokenDataError) {
    let numbers = grid.cellCount * (codebook == nil ? featureDimensions : 1)
    try TokenMemory.require(
      images: images, bytesPerImage: 4 * Double(numbers),
      for: codebook == nil ? "features" : "codes", source: path, available: available)
  }
}
