import Statistics
import SystemResources
import TokenGrids

/// What a page shows: the maps of every reference token, orders step by step, or both.
///
/// All numbers are in one unit, that of the page.
public struct Atlas: Sendable {
  /// What one token tells of the others, for every reference.
  public struct Maps: Sendable {
    let marginal: [Estimate]
    let information: [Double]
    let informationErrors: [Double]
    let entropyErrors: [Double]

    /// Takes the maps one after the other.
    ///
    /// - Parameters:
    ///   - marginal: H(v_i), by raster index.
    ///   - maps: For each reference v_j, by raster index, I(v_i; v_j) by raster index of i, with the standard errors of it and of
    ///     H(v_i | v_j); NaN where there is none, as of the reference itself.
    /// - Precondition: there are as many maps, and numbers in each, as marginals.
    public init(
      marginal: [Estimate],
      maps: some Sequence<(information: [Estimate], entropyErrors: [Double])>
    ) {
      let count = marginal.count
      self.marginal = marginal
      var numbers = (information: [Double](), errors: [Double](), entropyErrors: [Double]())
      numbers.information.reserveCapacity(count * count)
      numbers.errors.reserveCapacity(count * count)
      numbers.entropyErrors.reserveCapacity(count * count)
      for map in maps {
        precondition(map.information.count == count && map.entropyErrors.count == count)
        numbers.information += map.information.map(\.value)
        numbers.errors += map.information.map(\.standardError)
        numbers.entropyErrors += map.entropyErrors
      }
      precondition(numbers.information.count == count * count, "a map for every token")
      (information, informationErrors, entropyErrors) = numbers
    }

    /// Refuses maps whose page does not fit into the memory, before they are estimated.
    ///
    /// - Throws: `InsufficientMemory`.
    public static func requireMemory(on grid: TokenGrid) throws(InsufficientMemory) {
      let pairs = Double(grid.cellCount) * Double(grid.cellCount)
      // Three numbers of eight bytes, and the page two times: as texts, and as bytes.
      try InsufficientMemory.check(
        pairs * (24 + 2 * 16.0 / 3), for: "the page of all maps of \(grid) tokens")
    }
  }

  /// An order and what its steps lose.
  public struct Order: Sendable {
    /// Its name, any text.
    public var name: String
    /// What orders of the same sequence have in common: the curve of losses against steps goes through them.
    public var curve: String
    /// Whether its sizes of steps were chosen to lose least.
    public var isOptimal: Bool
    /// The steps.
    public var order: GenerationOrder
    /// What each token loses, by raster index.
    public var increase: [Estimate]
    /// What each step loses.
    public var stepLosses: [Estimate]
    /// What all lose; nil where that is not known.
    public var total: Estimate?

    /// Makes an order of the page.
    ///
    /// - Precondition: there is an increase for every cell, and a loss for every step.
    public init(
      name: String, curve: String? = nil, isOptimal: Bool = false, order: GenerationOrder,
      increase: [Estimate], stepLosses: [Estimate], total: Estimate?
    ) {
      precondition(increase.count == order.grid.cellCount, "an increase for every cell")
      precondition(stepLosses.count == order.steps.count, "a loss for every step")
      self.name = name
      self.curve = curve ?? name
      self.isOptimal = isOptimal
      self.order = order
      self.increase = increase
      self.stepLosses = stepLosses
      self.total = total
    }
  }

  /// Pictures of some images, over which the steps of an order are drawn.
  public struct Pictures: Sendable {
    /// PNG files.
    public var files: [[UInt8]]
    /// What they are, in a sentence.
    public var text: String

    /// Takes PNG files.
    public init(files: [[UInt8]], text: String) {
      self.files = files
      self.text = text
    }
  }

  /// The grid of all maps and orders.
  public var grid: TokenGrid
  /// The unit of all numbers, such as `nats`.
  public var unit: String
  /// The name of the dataset.
  public var data: String
  /// What was measured and how, in a line.
  public var facts: String
  /// How it was made, fact by fact.
  public var provenance: [String]
  /// The reference that is shown first; nil for the centre.
  public var reference: GridCell?
  /// The maps; nil where only orders are known.
  public var maps: Maps?
  /// The orders; none where only maps are known.
  public var orders: [Order]
  /// Pictures under the steps; nil where tokens cannot be decoded.
  public var pictures: Pictures?

  /// Makes a page.
  ///
  /// - Precondition: maps and orders are of the grid.
  public init(
    grid: TokenGrid, unit: String, data: String, facts: String, provenance: [String],
    reference: GridCell? = nil, maps: Maps? = nil, orders: [Order] = [], pictures: Pictures? = nil
  ) {
    precondition(maps.map { $0.marginal.count == grid.cellCount } ?? true, "maps of the grid")
    precondition(orders.allSatisfy { $0.order.grid == grid }, "orders of the grid")
    self.grid = grid
    self.unit = unit
    self.data = data
    self.facts = facts
    self.provenance = provenance
    self.reference = reference
    self.maps = maps
    self.orders = orders
    self.pictures = pictures
  }
}
