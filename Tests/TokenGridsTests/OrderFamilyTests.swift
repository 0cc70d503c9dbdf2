import Testing

@testable import TokenGrids

@Suite struct OrderFamilyTests {
  static let specifications = [
    "raster", "raster:initial=0", "distant", "distant:initial=0", "blocks", "blocks:initial=0",
    "diagonal", "window:w=1", "window:w=3", "random", "random:seed=9,schedule=cosine",
    "random:steps=3", "random:schedule=arccos", "halton", "halton:steps=5",
    "halton:schedule=arccos", "halton:schedule=cosine", "spiral", "spiral:direction=out",
    "hilbert", "zcurve", "subsample:initial=1", "subsample:schedule=levels", "lpd:steps=3",
    "lpd:steps=2,repulsion=0,proximity=9,seed=4", "checkerboard", "checkerboard:steps=3",
    "wavefront", "wavefront:a=7,b=3,c=2",
  ]

  @Test func everyFamilyIsTried() throws {
    let families = try Self.specifications.map { try OrderSpecification($0).family }
    #expect(Set(families) == Set(OrderFamily.allCases))
  }

  /// Whether the rule of the orders document lets the family stand on the grid.
  private func accepts(
    _ specification: OrderSpecification, _ grid: TokenGrid, tokensPerStep n: Int
  ) -> Bool {
    let cells = grid.rows * grid.columns
    let side = [1: 1, 4: 2, 9: 3][n]
    switch specification.family {
    case .diagonal, .wavefront: return true
    case .subsample where specification.text == "subsample:schedule=levels": return true
    case .lpd: return cells >= (specification.text == "lpd:steps=3" ? 3 : 2)
    case .checkerboard: return cells >= (specification.text == "checkerboard" ? 2 : 3)
    case .window: return specification.text == "window:w=1" || grid.columns >= 3
    case .distant:
      return side.map { grid.rows.isMultiple(of: $0) && grid.columns.isMultiple(of: $0) } ?? false
    case .blocks: return side.map { $0 <= min(grid.rows, grid.columns) } ?? false
    default:
      if specification.text == "random:steps=3" { return cells >= 3 }
      if specification.text == "halton:steps=5" { return cells >= 5 }
      return n <= grid.cellCount
    }
  }

  @Test(arguments: specifications)
  func coversEveryGridItAccepts(text: String) throws {
    let specification = try OrderSpecification(text)
    for grid in testGrids {
      for n in [1, 2, 4, 9] {
        let accepted = accepts(specification, grid, tokensPerStep: n)
        do {
          let order = try specification.order(on: grid, tokensPerStep: n)
          #expect(accepted, "\(text) made an order on \(grid) with n = \(n)")
          #expect(isPartition(order))
          #expect(order.grid == grid)
          #expect(order.name == text)
        } catch {
          #expect(!accepted, "\(text) refused \(grid) with n = \(n): \(error)")
          #expect(error is GenerationOrderError)
        }
      }
    }
  }

  @Test func helpNamesEveryFamilyAndKey() {
    let unbroken = OrderFamily.help.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    for family in OrderFamily.allCases {
      #expect(OrderFamily.help.contains("\n  \(family.rawValue) "))
      #expect(unbroken.contains(family.summary))
    }
    for key in OrderKey.allCases { #expect(OrderFamily.help.contains("\n  \(key)= ")) }
    #expect(OrderFamily.help.split(separator: "\n").allSatisfy { $0.count <= 79 })
  }

  @Test func everyKeyBelongsToAFamily() {
    let used = Set(OrderFamily.allCases.flatMap(\.keys))
    #expect(used == Set(OrderKey.allCases))
  }
}
