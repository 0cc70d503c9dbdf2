import Foundation
import Testing

@testable import Figures

/// Relative luminance as the web's accessibility guidelines define it.
private func luminance(_ color: RGB) -> Double {
  func linear(_ channel: UInt8) -> Double {
    let value = Double(channel) / 255
    return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
  }
  return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
}

@Test func redsGetDarkerAllTheWay() {
  let shades = (0...200).map { luminance(ColorRamp.reds.color(at: Double($0) / 200)) }
  #expect(zip(shades, shades.dropFirst()).allSatisfy { $0 >= $1 })
  #expect((shades.first ?? 0) > 0.8)
  #expect((shades.last ?? 1) < 0.05)
}

@Test func stepColoursCarryBlackNumbers() {
  // 4.5 : 1 is the contrast that small text needs.
  for darkness in [0, 0.5, 1] {
    let background = luminance(ColorRamp.paleBlues.color(at: darkness))
    #expect((background + 0.05) / 0.05 > 4.5)
  }
}

@Test func rampPassesThroughItsStops() {
  let ramp = ColorRamp(stops: [
    RGB(red: 0, green: 100, blue: 255), RGB(red: 100, green: 100, blue: 155),
  ])
  #expect(ramp.color(at: -1) == ramp.stops[0])
  #expect(ramp.color(at: 0.5) == RGB(red: 50, green: 100, blue: 205))
  #expect(ramp.color(at: 2) == ramp.stops[1])
  #expect(ramp.stops[0].hex == "#0064ff")
}

@Test func paletteAscendsWithTheDarkEndAsked() {
  let ramp = ColorRamp(stops: [
    RGB(red: 255, green: 255, blue: 255), RGB(red: 0, green: 0, blue: 0),
  ])
  #expect(
    ramp.palette(darkEnd: .high)
      == "set palette defined ((0./1)**(1./gamma) '#ffffff', (1./1)**(1./gamma) '#000000')")
  #expect(
    ramp.palette(darkEnd: .low)
      == "set palette defined (1-(1./1)**(1./gamma) '#000000', 1-(0./1)**(1./gamma) '#ffffff')")
}
