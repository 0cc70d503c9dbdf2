import Testing
import VisualTokenizers

@Test func visualTokenizersExample() throws {
  // README.md:
  // Patches of 2 × 2 pixels, each of one colour: 16 reds and 16 greens.
  var patches: [UInt8] = []
  for value in UInt8(200)..<232 {
    for _ in 0..<4 { patches += value < 216 ? [value, 0, 0] : [0, value, 0] }
  }
  let tokenizer = try PatchTokenizer(patches: patches, patchSize: 2, codes: 2, featureDimensions: 1)
  var image = RGBImage(width: 4, height: 2, red: 208)
  image.draw(RGBImage(width: 2, height: 2, green: 224), left: 2, top: 0)
  let codes = tokenizer.encode([image])  // two tokens, with different codes
  let decoded = tokenizer.decode(codes, rows: 1, columns: 2)  // red, then green
  // What it says is so:
  #expect(codes.count == 2 && codes[0] != codes[1])
  #expect(decoded.pixels[0] > 150 && decoded.pixels[1] < 50)
  #expect(decoded.pixels[6] < 50 && decoded.pixels[7] > 150)
}
