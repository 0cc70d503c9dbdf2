import Testing

@testable import SystemResources

struct AvailableMemoryTests {
  @Test("What may be taken is known, and is neither nothing nor beyond any machine")
  func now() throws {
    let available = try #require(AvailableMemory.now)
    #expect(available.bytes > 1e6)
    #expect(available.bytes < 1e15)
  }

  @Test(
    "Bytes are printed to three digits",
    arguments: [
      (0, "0 bytes"), (999, "999 bytes"), (1000, "1.00 kB"), (9994, "9.99 kB"), (9995, "10.0 kB"),
      (99_949, "99.9 kB"), (99_950, "100 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"),
      (137_438_953_472, "137 GB"), (2.5e19, "25.0 EB"), (3e24, "3000000 EB"),
    ] as [(Double, String)])
  func text(bytes: Double, text: String) {
    #expect(bytes.byteText == text)
  }

  @Test("What fits is let pass, what does not is refused with both numbers")
  func check() throws {
    let free = AvailableMemory(bytes: 2e9, limit: .machine)
    try InsufficientMemory.check(2e9, for: "two of them", available: free)
    try InsufficientMemory.check(1e30, for: "nobody knows", available: nil)
    let error = #expect(throws: InsufficientMemory.self) {
      try InsufficientMemory.check(2.01e9, for: "three of them", available: free)
    }
    #expect(error?.description == "three of them take 2.01 GB of memory, and 2.00 GB are free")
  }

  @Test("What is small is not asked about, however little is free")
  func small() throws {
    try InsufficientMemory.check(
      60e6, for: "a little", available: AvailableMemory(bytes: 0, limit: .process))
  }

  @Test("The words say what sets the limit")
  func limits() {
    let texts = [AvailableMemory.Limit.machine, .container, .process].map {
      AvailableMemory(bytes: 5e8, limit: $0).description
    }
    #expect(
      texts == [
        "500 MB are free", "500 MB are left to this container",
        "500 MB are left by the limits of this process (ulimit -v, -d)",
      ])
  }
}
