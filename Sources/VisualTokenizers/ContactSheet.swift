extension RGBImage {
  /// Images side by side, row by row, on white with a narrow gap.
  ///
  /// - Parameters:
  ///   - images: of any sizes; each place is as large as the largest.
  ///   - columns: how many stand side by side; nil for about as many as there are rows.
  /// - Precondition: there is an image, and at least one column.
  public init(contactSheetOf images: [RGBImage], columns: Int? = nil) {
    precondition(!images.isEmpty && columns ?? 1 > 0, "a contact sheet shows something")
    let gap = 4
    let width = images.map(\.width).max() ?? 1
    let height = images.map(\.height).max() ?? 1
    let square = Int(Double(images.count).squareRoot().rounded(.up))
    let columns = min(columns ?? square, images.count)
    let rows = (images.count + columns - 1) / columns
    self.init(
      width: gap + columns * (width + gap), height: gap + rows * (height + gap), red: 255,
      green: 255, blue: 255)
    for (i, image) in images.enumerated() {
      draw(
        image, left: gap + i % columns * (width + gap), top: gap + i / columns * (height + gap))
    }
  }
}
