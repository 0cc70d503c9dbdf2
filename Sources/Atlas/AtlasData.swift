import Foundation
import Statistics
import TokenGrids

/// The data inside a page, as its scripts read them; README.md says what they mean.
struct AtlasData: Encodable {
  struct Maps: Encodable {
    let marginal, marginalError, information, informationError, entropyError: PackedNumbers

    init(_ maps: Atlas.Maps) {
      marginal = PackedNumbers(linear: maps.marginal.map(\.value))
      marginalError = PackedNumbers(logarithmic: maps.marginal.map(\.standardError))
      information = PackedNumbers(linear: maps.information)
      informationError = PackedNumbers(logarithmic: maps.informationErrors)
      entropyError = PackedNumbers(logarithmic: maps.entropyErrors)
    }
  }

  struct Order: Encodable {
    let name, curve: String
    let isOptimal: Bool
    let step, increase, increaseError: PackedNumbers
    let stepLoss, stepLossError: [Double?]
    let total, totalError: Double?

    init(_ order: Atlas.Order) {
      name = order.name
      curve = order.curve
      isOptimal = order.isOptimal
      step = PackedNumbers(whole: order.order.stepNumbers)
      increase = PackedNumbers(linear: order.increase.map(\.value))
      increaseError = PackedNumbers(logarithmic: order.increase.map(\.standardError))
      stepLoss = order.stepLosses.map { $0.value.ifFinite }
      stepLossError = order.stepLosses.map { $0.standardError.ifFinite }
      total = order.total?.value.ifFinite
      totalError = order.total?.standardError.ifFinite
    }
  }

  struct Images: Encodable {
    /// Addresses that hold the pictures themselves.
    let files: [String]
    let text: String

    init(_ pictures: Atlas.Pictures) {
      files = pictures.files.map { "data:image/png;base64," + Data($0).base64EncodedString() }
      text = pictures.text
    }
  }

  let data, facts, unit: String
  /// Frames, rows, columns.
  let grid: [Int]
  let provenance: [String]
  let reference: Int?
  let maps: Maps?
  let orders: [Order]
  let images: Images?

  init(_ atlas: Atlas) {
    data = atlas.data
    facts = atlas.facts
    unit = atlas.unit
    grid = [atlas.grid.frames, atlas.grid.rows, atlas.grid.columns]
    provenance = atlas.provenance
    reference = atlas.reference.map(atlas.grid.index)
    maps = atlas.maps.map(Maps.init)
    orders = atlas.orders.map(Order.init)
    images = atlas.pictures.map(Images.init)
  }

  /// The data as JSON that may stand within a page: no name in it can end the element it stands in, or begin another.
  ///
  /// Outside of texts JSON has none of these characters, and within them it takes their numbers as well.
  func scriptText() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(self), as: UTF8.self)
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<", ">", "&", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Double {
  /// The number, where JSON can have it.
  fileprivate var ifFinite: Double? { isFinite ? self : nil }
}
