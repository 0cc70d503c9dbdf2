import Foundation

/// One of the project's readers of files, and well-formed files for it to be damaged.
struct FuzzedReader {
  /// What it is called on the command line.
  let name: String
  /// The name that a damaged file gets: some readers look at it.
  let fileName: String
  /// What is damaged, and put right again.
  let mutator: Mutator
  /// Makes a file of the damaged bytes, where those are only a part of one.
  let wrap: ([UInt8]) throws -> [UInt8]
  /// Reads the file at a path, as much of it as the programs do.
  let read: (String) throws -> Void

  init(
    _ name: String, fileName: String, originals: [[UInt8]], repair: Mutator.Repair = .nothing,
    wrap: @escaping ([UInt8]) throws -> [UInt8] = { $0 }, read: @escaping (String) throws -> Void
  ) {
    self.name = name
    self.fileName = fileName
    mutator = Mutator(originals: originals, repair: repair)
    self.wrap = wrap
    self.read = read
  }

  /// The names of all readers.
  static var names: [String] { makers.map(\.name) }

  /// Makes a reader and its well-formed files, which are written into `folder` on the way.
  static func make(_ name: String, folder: String) throws -> FuzzedReader? {
    guard let maker = makers.first(where: { $0.name == name }) else { return nil }
    return try maker.make(name, folder)
  }

  private static var makers: [(name: String, make: (String, String) throws -> FuzzedReader)] {
    [
      ("hdf5-codes", hdf5Codes), ("hdf5-features", hdf5Features), ("hdf5-filters", hdf5Filters),
      ("hdf5-strings", hdf5Strings), ("hdf5-headers", hdf5Headers), ("moments", moments),
      ("residuals", residuals), ("jpeg", jpeg), ("png", png),
      ("npy", npy), ("npz", npz),
      ("torch", torch),
      ("torch-pickle", torchPickle), ("safetensors", safetensors), ("model", model),
      ("model-index", modelIndex), ("checkpoint", checkpoint),
      ("any-order-model", anyOrderModel), ("any-order-checkpoint", anyOrderCheckpoint),
      ("order-table", orderTable),
      ("order-json", orderJSON), ("order-npy", orderArray),
    ]
  }

  /// The bytes of a file that `write` makes at a path.
  static func bytes(_ folder: String, _ write: (String) throws -> Void) throws -> [UInt8] {
    let path = folder + "/original"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(path)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
