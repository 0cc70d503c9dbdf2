import FileFormats
import Reporting

extension ArrayFile {
  /// Adds numbers on a grid for each of several results, one after the other; nothing where one of them has none.
  mutating func add(_ name: String, grids: [JSONGrid<JSONNumber>?], extents: [Int]) {
    let found = grids.compactMap(\.self)
    guard found.count == grids.count else { return }
    add(
      name, shape: [grids.count] + extents,
      .numbers(found.flatMap { $0.values.map { $0.value ?? .nan } }))
  }
}
