import CHDF5
import CHDF5Input
import CHDF5Output
import Foundation

/// A group of an HDF5 file; the file itself is its root group.
package struct HDF5Group: Sendable {
  let handle: HDF5Handle
  /// What the library may read of its file; nil where the file is written.
  private let structure: HDF5Structure?
  var id: hid_t { handle.id }

  init(handle: HDF5Handle, structure: HDF5Structure? = nil) {
    self.handle = handle
    self.structure = structure
  }

  /// Opens an existing file for reading.
  ///
  /// - Throws: ``HDF5Damage`` where it is not whole, or ``HDF5Failure``.
  package static func openFile(_ path: String) throws -> HDF5Group {
    try HDF5.locked {
      let structure = try HDF5Structure(path: path)
      let access = try HDF5Handle(
        token_input_access(), closing: H5Pclose, "describe the file's access")
      return HDF5Group(
        handle: try HDF5Handle(
          H5Fopen(path, token_h5_read_only(), access.id), closing: H5Fclose, "open the file"),
        structure: structure)
    }
  }

  /// Makes an empty file, in place of one that may be there.
  package static func createFile(_ path: String) throws -> HDF5Group {
    try HDF5.locked {
      let access = try unlockedAccess()
      return HDF5Group(
        handle: try HDF5Handle(
          H5Fcreate(path, token_h5_truncate(), token_h5_default(), access.id),
          closing: H5Fclose, "create the file"))
    }
  }

  /// Makes an empty file in an output, whose failures the library is not told: see ``HDF5Output``.
  package static func createFile(_ output: HDF5Output) throws -> HDF5Group {
    try HDF5.locked {
      let access = try HDF5Handle(
        token_output_access(output.descriptor, output.failure), closing: H5Pclose,
        "describe the file's access")
      return HDF5Group(
        handle: try HDF5Handle(
          H5Fcreate("output", token_h5_truncate(), token_h5_default(), access.id),
          closing: H5Fclose, "create the file"))
    }
  }

  /// Access without the library's file locks: network file systems refuse them, and a process started while a file is
  /// being written inherits them. Files are written under names of their own and renamed, so that no lock is needed.
  private static func unlockedAccess() throws -> HDF5Handle {
    let access = try HDF5Handle(
      H5Pcreate(token_h5_file_access()), closing: H5Pclose, "describe the file's access")
    try HDF5.check(H5Pset_file_locking(access.id, false, true), "describe the file's access")
    return access
  }

  /// Whether the file at `path` starts as an HDF5 file does.
  package static func isHDF5(_ path: String) -> Bool {
    // The library asks its own driver, which reads little.
    HDF5.locked { H5Fis_hdf5(path) > 0 }
  }

  /// Writes everything that is still in the library's buffers.
  package func flush() throws {
    try HDF5.locked { try HDF5.check(H5Fflush(id, H5F_SCOPE_GLOBAL), "write the file") }
  }

  // MARK: Members

  /// Whether a group or dataset of this name exists.
  ///
  /// - Throws: ``HDF5Failure`` where the group cannot be searched.
  func contains(_ name: String) throws -> Bool {
    try HDF5.locked {
      try HDF5.check(H5Lexists(id, name, token_h5_default()), "look for /\(name)") > 0
    }
  }

  /// The names of all members, in alphabetical order.
  package func memberNames() throws -> [String] {
    try HDF5.locked {
      var info = H5G_info_t()
      try HDF5.check(H5Gget_info(id, &info), "list a group")
      return try (0..<info.nlinks).map { index in
        var buffer = [CChar](repeating: 0, count: 1024)
        try HDF5.check(
          H5Lget_name_by_idx(
            id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &buffer, buffer.count, token_h5_default()),
          "list a group")
        return string(fromBytes: buffer.map { UInt8(bitPattern: $0) })
      }
    }
  }

  /// The group of this name, or nil where there is no such member.
  ///
  /// - Parameter hops: how many links from file to file led here.
  package func group(_ name: String, hops: Int = 0) throws -> HDF5Group? {
    try HDF5.locked {
      if let (other, path) = try follow(name, hops) { return try other.group(path, hops: hops + 1) }
      guard try contains(name) else { return nil }
      return HDF5Group(
        handle: try HDF5Handle(
          H5Gopen2(id, name, token_h5_default()), closing: H5Gclose, "open /\(name)"),
        structure: structure)
    }
  }

  /// Makes sure that the library can open what a member's name leads to; where that is in another file, the file and the
  /// path in it are returned.
  private func follow(_ name: String, _ hops: Int) throws -> (file: HDF5Group, path: String)? {
    guard let structure else { return nil }
    let action = "open /\(name)"
    let here = token_h5_header_address(id)
    guard here != token_h5_no_address() else {
      throw HDF5Failure(action: action, reason: HDF5.firstCause())
    }
    switch try structure.target(of: name, from: Int(clamping: here)) {
    case .object, .nothing: return nil
    case .external(let fileName, let path):
      return try leave(for: path, of: fileName, name: name, hops, action)
    case .unknown:
      guard try contains(name) else { return nil }
      if let (fileName, path) = try externalLink(name, action) {
        return try leave(for: path, of: fileName, name: name, hops, action)
      }
      // Only its address is looked up, in the same file.
      let address = token_h5_member_address(id, name)
      guard address != token_h5_no_address() else {
        throw HDF5Failure(action: action, reason: HDF5.firstCause() ?? "it is in another file")
      }
      try structure.check(Int(clamping: address), name: name)
      return nil
    }
  }

  /// Opens the file of a link.
  private func leave(
    for path: String, of fileName: String, name: String, _ hops: Int, _ action: String
  ) throws -> (file: HDF5Group, path: String) {
    let file = try HDF5Handle(H5Iget_file_id(id), closing: H5Fclose, action)
    guard hops < 16, let other = try Self.open(fileName, besideFile: file) else {
      throw HDF5Refusal(
        dataset: name,
        reason: "is a link to /\(path.drop { $0 == "/" }) of \(fileName), which cannot be found")
    }
    return (other, path)
  }

  /// The file and the path of a link to another file; nil for other links.
  private func externalLink(_ name: String, _ action: String) throws -> (String, String)? {
    var size = 0
    guard token_h5_external_link(id, name, &size) > 0 else { return nil }
    // Its flags, and both texts with a zero byte behind each.
    var value = [UInt8](repeating: 0, count: size + 1)
    try HDF5.check(H5Lget_val(id, name, &value, size, token_h5_default()), action)
    let parts = value.dropFirst().split(separator: 0, omittingEmptySubsequences: false)
    guard parts.count >= 2 else { return nil }
    return (string(fromBytes: parts[0]), string(fromBytes: parts[1]))
  }

  /// Opens a file that another one names: beside it, or where its path says; nil where there is none.
  static func open(_ fileName: String, besideFile file: HDF5Handle) throws -> HDF5Group? {
    let own = try hdf5Text("look at the file") { H5Fget_name(file.id, $0, $1) }
    let beside = (own as NSString).deletingLastPathComponent + "/" + fileName
    for path in fileName.hasPrefix("/") ? [fileName] : [beside, fileName] where isHDF5(path) {
      return try openFile(path)
    }
    return nil
  }

  /// The dataset of this name, inspected, or nil where there is no such member.
  ///
  /// - Throws: ``HDF5Refusal`` where it cannot be trusted (``HDF5Dataset/inspect(depth:)``) or is no dataset.
  package func dataset(_ name: String) throws -> HDF5Dataset? {
    let dataset = try rawDataset(name)
    try dataset?.inspect()
    return dataset
  }

  /// The dataset of this name as the library opens it, or nil where there is no such member.
  ///
  /// - Parameter hops: how many links from file to file led here.
  func rawDataset(_ name: String, hops: Int = 0) throws -> HDF5Dataset? {
    try HDF5.locked {
      if let (other, path) = try follow(name, hops) {
        return try other.rawDataset(path, hops: hops + 1)
      }
      guard try contains(name) else { return nil }
      let object = try HDF5Handle(
        H5Oopen(id, name, token_h5_default()), closing: H5Oclose, "open /\(name)")
      switch H5Iget_type(object.id) {
      case H5I_DATASET: break
      case H5I_GROUP:
        let members = try HDF5Group(handle: object).memberNames()
        throw HDF5Refusal(
          dataset: name,
          reason: "is a group"
            + (members.isEmpty ? "" : " with \(members.prefix(8).joined(separator: ", "))")
            + "; a dataset is expected")
      default: throw HDF5Refusal(dataset: name, reason: "is not a dataset")
      }
      return try HDF5Dataset(
        name: name,
        handle: HDF5Handle(
          H5Dopen2(id, name, token_h5_default()), closing: H5Dclose, "open /\(name)"))
    }
  }

  /// Makes an empty group.
  package func createGroup(_ name: String) throws -> HDF5Group {
    try HDF5.locked {
      HDF5Group(
        handle: try HDF5Handle(
          H5Gcreate2(id, name, token_h5_default(), token_h5_default(), token_h5_default()),
          closing: H5Gclose, "create /\(name)"))
    }
  }

  /// Makes a dataset without rows that can grow, stored in compressed chunks.
  ///
  /// - Parameters:
  ///   - rowShape: the extents of one row: all but the first extent of the dataset.
  ///   - rowsPerChunk: how many rows are compressed together.
  package func createGrowingDataset<Element: HDF5Number>(
    _ name: String, of _: Element.Type, rowShape: [Int], rowsPerChunk: Int
  ) throws -> HDF5Dataset {
    try HDF5.locked {
      let current = [0] + rowShape.map { hsize_t($0) }
      let largest = [token_h5_unlimited()] + rowShape.map { hsize_t($0) }
      let chunk = [hsize_t(rowsPerChunk)] + rowShape.map { hsize_t($0) }
      let space = try HDF5Handle(
        H5Screate_simple(Int32(current.count), current, largest), closing: H5Sclose,
        "describe /\(name)")
      let layout = try datasetCreation(name)
      try HDF5.check(H5Pset_chunk(layout.id, Int32(chunk.count), chunk), "describe /\(name)")
      try HDF5.check(H5Pset_shuffle(layout.id), "describe /\(name)")
      try HDF5.check(H5Pset_deflate(layout.id, 9), "describe /\(name)")
      return try HDF5Dataset(
        name: name, handle: try create(name, Element.nativeType, space, layout))
    }
  }

  /// Makes a dataset in one piece, which is written in runs of rows: ``HDF5Dataset/write(_:fromRow:)``.
  package func createDataset<Element: HDF5Number>(
    _ name: String, of _: Element.Type, shape: [Int]
  ) throws -> HDF5Dataset {
    try HDF5.locked {
      let space = try HDF5Handle(
        H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil), closing: H5Sclose,
        "describe /\(name)")
      return try HDF5Dataset(
        name: name, handle: try create(name, Element.nativeType, space, datasetCreation(name)))
    }
  }

  /// Writes a whole dataset of numbers at once.
  package func write<Element: HDF5Number>(_ values: [Element], shape: [Int], to name: String) throws
  {
    try HDF5.locked {
      let space = try HDF5Handle(
        H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil), closing: H5Sclose,
        "describe /\(name)")
      let dataset = try create(name, Element.nativeType, space, datasetCreation(name))
      try HDF5.check(
        H5Dwrite(
          dataset.id, Element.nativeType, token_h5_all(), token_h5_all(), token_h5_default(), values
        ), "write /\(name)")
    }
  }

  /// Writes a list of strings, as UTF-8 of variable length.
  package func write(_ strings: [String], to name: String) throws {
    try HDF5.locked {
      let type = try variableStringType()
      let space = try HDF5Handle(
        H5Screate_simple(1, [hsize_t(strings.count)], nil), closing: H5Sclose, "describe /\(name)")
      let dataset = try create(name, type.id, space, datasetCreation(name))
      try withCStrings(strings) { pointers in
        try HDF5.check(
          H5Dwrite(
            dataset.id, type.id, token_h5_all(), token_h5_all(), token_h5_default(), pointers),
          "write /\(name)")
      }
    }
  }

  private func create(
    _ name: String, _ type: hid_t, _ space: HDF5Handle, _ properties: HDF5Handle
  ) throws -> HDF5Handle {
    try HDF5Handle(
      H5Dcreate2(
        id, name, type, space.id, token_h5_default(), properties.id, token_h5_default()),
      closing: H5Dclose, "create /\(name)")
  }

  /// How a dataset is created: without the time of day, so that equal contents are equal bytes.
  private func datasetCreation(_ name: String) throws -> HDF5Handle {
    let properties = try HDF5Handle(
      H5Pcreate(token_h5_dataset_create()), closing: H5Pclose, "describe /\(name)")
    try HDF5.check(H5Pset_obj_track_times(properties.id, false), "describe /\(name)")
    return properties
  }
}
