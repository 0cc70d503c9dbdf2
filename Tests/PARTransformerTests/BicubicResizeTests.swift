import Testing

@testable import PARTransformer

@Test func bicubicResizeIsPyTorchs() {
  // torch.nn.functional.interpolate(torch.tensor([[[[0., 1., 4., 9.]]]]), size=(1, 6), mode="bicubic"), by hand: place 1
  // has its centre at 0.5 of the source, between 0 and 1 with the weights −0.09375, 0.59375, 0.59375, −0.09375.
  let resize = BicubicResize(fromRows: 1, columns: 4, toRows: 1, columns: 6)
  let values = resize.resize([0, 1, 4, 9], channels: 1)
  #expect(abs(values[1] - (0.59375 * 1 - 0.09375 * 4)) < 1e-5)
  #expect(values.count == 6)
}

@Test func bicubicResizeKeepsWhatIsConstantAndWhatIsLinear() {
  let even: [Float] = Array(repeating: 2.5, count: 24)
  let constant = BicubicResize(fromRows: 3, columns: 4, toRows: 5, columns: 7)
    .resize(even[...], channels: 2)
  #expect(constant.count == 70 && constant.allSatisfy { abs($0 - 2.5) < 1e-5 })
  // The same extents leave everything in its place.
  let values: [Float] = (0..<24).map { Float($0 * $0 % 7) }
  #expect(
    BicubicResize(fromRows: 3, columns: 4, toRows: 3, columns: 4)
      .resize(values[...], channels: 2) == values)
}
