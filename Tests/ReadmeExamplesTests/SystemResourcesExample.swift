import SystemResources
import Testing

@Test func systemResourcesExample() throws {
  // README.md:
  let free = AvailableMemory(bytes: 20e9, limit: .machine)
  var refusal: InsufficientMemory?
  do {
    try InsufficientMemory.check(137e9, for: "the weights of 24 layers", available: free)
  } catch {
    refusal = error
  }
  // What it says is so:
  #expect(refusal?.description.hasPrefix("the weights of 24 layers take 137 GB") == true)
}
