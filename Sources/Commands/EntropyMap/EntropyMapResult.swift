import EntropyEstimation
import FileFormats
import Reporting
import TokenData
import TokenGrids

/// The result of `entropy-map --json`.
struct EntropyMapResult: Encodable {
  struct Map: Encodable {
    let reference: [Int]
    let entropy: JSONGrid<JSONNumber>
    let standardError: JSONGrid<JSONNumber>
    let information: JSONGrid<JSONNumber>
    let informationStandardError: JSONGrid<JSONNumber>
    /// The one-sided 95% limit, where the bound is held-out.
    let upperLimit: JSONGrid<JSONNumber>?
  }

  let command = "entropy-map"
  let grid: [Int]
  let units: String
  let bound: String
  let errors: String
  let heldOut: HeldOutFacts?
  let regressor: String
  let featuresPerToken: Int?
  /// λ of the ridge that always stands on random functions; nil without them.
  let featuresRidge: Double?
  let images: Int
  let featureDimensions: Int
  let jitter: Double
  let marginals: String
  let given: String?
  let health: HealthFacts
  /// H(v_i), the same for all references.
  let marginal: JSONGrid<JSONNumber>
  let marginalStandardError: JSONGrid<JSONNumber>
  /// The entropies of `debiased` that another weight had to give.
  let fallbacks: Int
  var maps: [Map]
  let provenance: Provenance

  init(
    _ maps: [ConditionalEntropyMap], dataset: some MeasuredData, options: EntropyMapCommand,
    provenance: Provenance
  ) {
    let (grid, estimation) = (dataset.grid, options.estimation)
    self.grid = grid.jsonExtents
    units = estimation.units.rawValue
    bound = estimation.bound.rawValue
    regressor = estimation.regressor.rawValue
    featuresPerToken = estimation.chosenRegressor.functionsPerToken
    featuresRidge = featuresPerToken == nil ? nil : randomFeatureRidge
    errors = estimation.errorName
    heldOut = HeldOutFacts(estimation, options.tokens, of: dataset)
    images = dataset.imageCount
    featureDimensions = dataset.featureDimensions
    jitter = estimation.jitter
    given = estimation.given?.rawValue
    marginals = estimation.marginals.rawValue
    health = options.health(of: dataset, maps)
    let marginals = (maps.first?.marginal ?? []).map(estimation.estimate)
    marginal = JSONGrid(grid, marginals.map(\.value))
    marginalStandardError = JSONGrid(grid, marginals.map(\.standardError))
    fallbacks = maps.reduce(0) { $0 + $1.fallbackCount }
    self.maps = maps.map { map in
      let values = map.entropy.indices.map { estimation.values(of: map, at: $0) }
      return Map(
        reference: grid.jsonCoordinates(of: map.reference),
        entropy: JSONGrid(grid, values.map { $0.entropy?.value }),
        standardError: JSONGrid(grid, values.map { $0.entropy?.standardError }),
        information: JSONGrid(grid, values.map { $0.information?.value }),
        informationStandardError: JSONGrid(grid, values.map { $0.information?.standardError }),
        upperLimit: map.bound == .heldOut
          ? JSONGrid(grid, values.map { $0.entropy?.upperLimit }) : nil)
    }
    self.provenance = provenance
  }
}

extension EntropyMapResult {
  /// Everything but the maps.
  var withoutMaps: EntropyMapResult {
    var result = self
    result.maps = []
    return result
  }

  /// Adds the arrays: the marginals by cell, and of the maps one after the other.
  func add(to file: inout ArrayFile) {
    func values(_ grid: JSONGrid<JSONNumber>) -> [Double] { grid.values.map { $0.value ?? .nan } }
    file.add("marginal", shape: grid, .numbers(values(marginal)))
    file.add("marginal_standard_error", shape: grid, .numbers(values(marginalStandardError)))
    file.add(
      "maps/reference", shape: [maps.count, grid.count], .counts(maps.flatMap(\.reference)))
    let grids: KeyValuePairs<String, (Map) -> JSONGrid<JSONNumber>?> = [
      "entropy": \.entropy, "standard_error": \.standardError, "information": \.information,
      "information_standard_error": \.informationStandardError, "upper_limit": \.upperLimit,
    ]
    for (name, value) in grids {
      file.add("maps/\(name)", grids: maps.map(value), extents: grid)
    }
  }
}
