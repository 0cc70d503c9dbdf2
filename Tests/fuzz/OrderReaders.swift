import FileFormats
import TokenData
import TokenGrids

extension FuzzedReader {
  private static let grids = [
    TokenGrid(rows: 4, columns: 4), TokenGrid(frames: 2, rows: 2, columns: 4),
  ]

  private static func order(
    _ name: String, _ fileName: String, _ originals: [[UInt8]]
  ) -> FuzzedReader {
    FuzzedReader(name, fileName: fileName, originals: originals) { path in
      // The first that fits is what is read; if none does, the refusal of the first is told.
      do {
        _ = try GenerationOrder(contentsOfFile: path, grid: grids[1])
      } catch {
        _ = try GenerationOrder(contentsOfFile: path, grid: grids[0])
      }
    }
  }

  private static func orders() throws -> [GenerationOrder] {
    [
      try OrderSpecification("distant:n=4").order(on: grids[0]),
      try OrderSpecification("raster:n=2").order(on: grids[0]),
      try OrderSpecification("raster").order(on: grids[1]),
    ]
  }

  static func orderTable(_ name: String, _ folder: String) throws -> FuzzedReader {
    order(name, "f.txt", try orders().map { Array($0.tableText.utf8) })
  }

  static func orderJSON(_ name: String, _ folder: String) throws -> FuzzedReader {
    order(
      name, "f.json",
      try orders().map { Array($0.jsonText.utf8) } + [
        Array("[[0,1,2,3],[4,5,6,7],[8,9,10,11],[12,13,14,15]]".utf8),
        Array("[15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0]".utf8),
      ])
  }

  static func orderArray(_ name: String, _ folder: String) throws -> FuzzedReader {
    order(
      name, "f.npy",
      [
        [UInt8](NpyWriter.bytes((0..<16).map { Double($0 / 2) }, shape: [4, 4])),
        NpyBytes.file(type: "<i8", width: 8, shape: "(16,)", values: Array((0..<16).reversed())),
        NpyBytes.file(type: "|u1", width: 1, shape: "(2, 2, 4)", values: Array(0..<16)),
      ])
  }
}

/// `.npy` files of whole numbers.
enum NpyBytes {
  static func file(
    type: String, width: Int, shape: String, values: [Int], isFortranOrder: Bool = false
  ) -> [UInt8] {
    var header = Array(
      "{'descr': '\(type)', 'fortran_order': \(isFortranOrder ? "True" : "False"), 'shape': \(shape), }"
        .utf8)
    header += Array(repeating: 0x20, count: 63 - (header.count + 10) % 64) + [0x0A]
    let length = [UInt8(header.count & 0xFF), UInt8(header.count >> 8)]
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + length + header
      + values.flatMap { value in (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  }
}
