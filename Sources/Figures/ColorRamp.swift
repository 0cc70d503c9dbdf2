/// A colour of eight bits a channel.
struct RGB: Equatable {
  let red: UInt8
  let green: UInt8
  let blue: UInt8

  /// `#rrggbb`.
  var hex: String {
    "#"
      + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// A ramp of one hue from light to dark, so that it survives a grey printer and every kind of
/// colour vision.
struct ColorRamp {
  /// The colours at equal distances, from light to dark.
  let stops: [RGB]

  /// Reds. The light end is a visible pink: white stays free for cells that have no part in the
  /// scale.
  static let reds = ColorRamp(stops: [
    RGB(red: 253, green: 232, blue: 223), RGB(red: 251, green: 203, blue: 184),
    RGB(red: 248, green: 166, blue: 142), RGB(red: 238, green: 124, blue: 101),
    RGB(red: 218, green: 79, blue: 66), RGB(red: 184, green: 38, blue: 42),
    RGB(red: 139, green: 13, blue: 28), RGB(red: 88, green: 3, blue: 16),
  ])

  /// Pale blues, light enough to carry black numbers.
  static let paleBlues = ColorRamp(stops: [
    RGB(red: 244, green: 248, blue: 253), RGB(red: 161, green: 196, blue: 230),
  ])

  /// Blues from pale to dark, for numbers that are not written out.
  static let blues = ColorRamp(stops: [
    RGB(red: 240, green: 246, blue: 252), RGB(red: 158, green: 197, blue: 230),
    RGB(red: 62, green: 126, blue: 186), RGB(red: 8, green: 48, blue: 107),
  ])

  /// The colour at `darkness`, from 0 to 1, between the stops by linear interpolation.
  func color(at darkness: Double) -> RGB {
    let position = min(max(darkness, 0), 1) * Double(stops.count - 1)
    let index = min(Int(position), stops.count - 2)
    let fraction = position - Double(index)
    func mix(_ channel: KeyPath<RGB, UInt8>) -> UInt8 {
      let (start, end) = (
        Double(stops[index][keyPath: channel]), Double(stops[index + 1][keyPath: channel])
      )
      return UInt8((start + (end - start) * fraction).rounded())
    }
    return RGB(red: mix(\.red), green: mix(\.green), blue: mix(\.blue))
  }

  /// The ramp as gnuplot's palette for a scale with the given dark end; `gamma` is a variable of
  /// the script.
  func palette(darkEnd: DarkEnd) -> String {
    let last = stops.count - 1
    let entries = stops.indices.map { index in
      let fraction = "(\(index)./\(last))**(1./gamma)"
      let position = darkEnd == .high ? fraction : "1-\(fraction)"
      return "\(position) '\(stops[index].hex)'"
    }
    let ascending = darkEnd == .high ? entries : entries.reversed()
    return "set palette defined (\(ascending.joined(separator: ", ")))"
  }
}

/// The colours of figures beside the ramps.
enum FigureColor {
  /// The reference cell.
  static let reference = "#1f5fbf"
  /// A cell that has no value.
  static let noValue = "#d4d4d4"
  /// A cell of the initial steps that generate one cell each.
  static let initialStep = "#fbe3b0"
  /// Outlines and secondary text.
  static let outline = "#404040"
  /// Lines between cells.
  static let cellBorder = "#ffffff"

  /// Curves, in the order they are taken: distinguishable with every kind of colour vision (Okabe
  /// and Ito).
  static let curves = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"]
}
