import Reporting
import Statistics
import Testing

@Test func reportingExample() throws {
  // README.md:
  var table = TextTable("order", "images", "total increase")
  table.add(["distant", 10_000.grouped, Estimate(value: 0.4691, standardError: 0.0487).text()])
  // order    images  total increase
  // distant  10,000   0.469 ± 0.049
  let text = table.text
  // What it says is so:
  #expect(text == "order    images  total increase\ndistant  10,000   0.469 ± 0.049")
}
