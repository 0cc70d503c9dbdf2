import Testing

@testable import Figures

@Test func captionGivesDataImagesDimensionsAndBound() {
  let text = testCaption.text.replacing("\u{A0}", with: " ")
  #expect(
    text == "Data: synthetic; m = 10,000 images, d = 8 feature dimensions; bound: debiased.")
}
