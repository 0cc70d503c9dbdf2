import ArgumentParser
import EntropyEstimation
import Files
import TokenGrids

/// Which orders are compared.
struct OrderSelection: ParsableArguments {
  @Argument(
    help:
      "Orders of generation: name[:key=value,…], the path of an order file, or - for one on standard input."
  )
  var orders: [String] = []

  @Flag(
    help:
      "Also the orders of published models that fit the grid; the others are named with the reason."
  )
  var published = false

  @Option(
    help: ArgumentHelp(
      "All published orders in so many steps, where they can be.", valueName: "steps"))
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Recorded steps of an adaptive sampler, a .npy array (m, H, W) of whole numbers: the fixed order of their means. May be"
        + " repeated.", valueName: "file"))
  var stepMaps: [String] = []

  func validate() throws {
    if let steps {
      guard published else { throw ValidationError("--steps is for --published") }
      guard steps >= 1 else { throw ValidationError("--steps \(steps): at least 1 is needed") }
    }
    if orders.count(where: { OrderSpecification.isStandardInput($0) }) > 1 {
      throw ValidationError("standard input (-) holds one order and is read once")
    }
  }

  /// Whether no order is named.
  var isEmpty: Bool { orders.isEmpty && !published && stepMaps.isEmpty }

  /// Whether the figure is one of totals, each order with its own number of steps.
  var drawsTotals: Bool { published && steps == nil }

  /// Reads the user's orders, and refuses a number of tokens per step that none heeds.
  func specifications(givenTokensPerStep: Int?) throws -> [OrderSpecification] {
    let specifications = try orders.map { try OrderSpecification(argument: $0) }
    for path in stepMaps { InputFiles.shared.insert(path) }
    if let givenTokensPerStep, !specifications.contains(where: \.takesTokensPerStep) {
      throw ValidationError(
        "--tokens-per-step \(givenTokensPerStep): there is no use for it, because every order has steps of its own"
      )
    }
    return specifications
  }

  /// The orders on a grid.
  ///
  /// - Parameter fitting: For those with `schedule=optimal`, which are refused without it.
  func orders(
    _ specifications: [OrderSpecification], on grid: TokenGrid, tokensPerStep: Int,
    fitting: OrderFitting? = nil
  ) throws -> SelectedOrders {
    var selected = SelectedOrders()
    for (specification, name) in zip(
      specifications, OrderSpecification.names(of: specifications))
    {
      let seeds = specification.bySeed
      selected.rows.append(
        (
          name,
          try seeds.map { one in
            let own = seeds.count == 1 ? name : nil
            if let steps = one.optimalSteps, let fitting {
              return try fitting.order(
                of: one, steps: steps, on: grid, tokensPerStep: tokensPerStep,
                named: own ?? one.name)
            }
            return try one.order(on: grid, tokensPerStep: tokensPerStep, named: own)
          }
        ))
    }
    for path in stepMaps {
      let mean = try StepMaps(contentsOfFile: path, grid: grid).meanOrder
      let name = "\(path), \(mean.name)"
      selected.rows.append(
        (name, [try GenerationOrder(name: name, grid: grid, steps: mean.steps)]))
    }
    guard published else { return selected }
    for order in PublishedOrder.allCases {
      do {
        let made = try order.order(on: grid, steps: steps)
        selected.rows.append((made.name, [made]))
      } catch {
        selected.leftOut.append(
          SelectedOrders.LeftOut(name: order.name(on: grid, steps: nil), reason: "\(error)"))
      }
    }
    guard !selected.rows.isEmpty else {
      throw ValidationError("no published order fits the \(grid) grid")
    }
    return selected
  }
}

/// Orders to be compared, row by row.
struct SelectedOrders {
  /// A published order that does not fit.
  struct LeftOut: Encodable {
    let name: String
    /// A sentence that begins with the name.
    let reason: String
  }

  /// A name and one order, or one for each seed.
  var rows: [(name: String, orders: [GenerationOrder])] = []
  var leftOut: [LeftOut] = []

  /// The rows with the profiles of their orders, which follow each other as the orders do.
  func grouping(_ profiles: [OrderProfile]) -> [ComparedOrder] {
    var rest = profiles[...]
    return rows.map { row in
      defer { rest = rest.dropFirst(row.orders.count) }
      return ComparedOrder(name: row.name, profiles: Array(rest.prefix(row.orders.count)))
    }
  }
}
