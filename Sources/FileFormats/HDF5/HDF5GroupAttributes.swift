import CHDF5
import CHDF5Input
import CHDF5Output

extension HDF5Group {
  /// The text of an attribute, or nil where there is no such attribute or it is no single string.
  package func stringAttribute(_ name: String) throws -> String? {
    try HDF5.locked {
      guard let (attribute, type) = try singleValue(of: name, H5T_STRING) else { return nil }
      return try readStrings(
        count: 1, storedAs: type, of: attribute.id, what: "attribute \(name)",
        "read attribute \(name)"
      ) { H5Aread(attribute.id, $0, $1) }.first
    }
  }

  /// An attribute and its type; nil where there is none or it is no single value of the class.
  private func singleValue(
    of name: String, _ kind: H5T_class_t
  ) throws -> (attribute: HDF5Handle, type: HDF5Handle)? {
    guard H5Aexists(id, name) > 0 else { return nil }
    let action = "read attribute \(name)"
    let attribute = try HDF5Handle(
      H5Aopen(id, name, token_h5_default()), closing: H5Aclose, action)
    let type = try HDF5Handle(H5Aget_type(attribute.id), closing: H5Tclose, action)
    let space = try HDF5Handle(H5Aget_space(attribute.id), closing: H5Sclose, action)
    guard H5Tget_class(type.id) == kind, H5Sget_simple_extent_npoints(space.id) == 1 else {
      return nil
    }
    return (attribute, type)
  }

  /// The value of an attribute, or nil where there is no such attribute or it is no single number.
  package func integerAttribute(_ name: String) throws -> Int? {
    try HDF5.locked {
      guard let (attribute, type) = try singleValue(of: name, H5T_INTEGER) else { return nil }
      guard HDF5Dataset.isPlain(type.id) else { return nil }
      var value: Int64 = 0
      try HDF5.check(
        H5Aread(attribute.id, Int64.nativeType, &value), "read attribute \(name)")
      return Int(value)
    }
  }

  /// Whether an attribute of this name exists, whatever it holds.
  ///
  /// - Throws: ``HDF5Failure`` where the attributes are damaged.
  package func hasAttribute(_ name: String) throws -> Bool {
    try HDF5.locked {
      try HDF5.check(H5Aexists(id, name), "look for attribute \(name)") > 0
    }
  }

  /// Adds an attribute that holds one string.
  package func setAttribute(_ name: String, _ value: String) throws {
    try HDF5.locked {
      let type = try variableStringType()
      let attribute = try createAttribute(name, type: type.id)
      try withCStrings([value]) { pointers in
        try HDF5.check(H5Awrite(attribute.id, type.id, pointers), "write attribute \(name)")
      }
    }
  }

  /// Adds an attribute that holds one whole number.
  package func setAttribute(_ name: String, _ value: Int) throws {
    try HDF5.locked {
      let attribute = try createAttribute(name, type: Int64.nativeType)
      var value = Int64(value)
      try HDF5.check(
        H5Awrite(attribute.id, Int64.nativeType, &value), "write attribute \(name)")
    }
  }

  private func createAttribute(_ name: String, type: hid_t) throws -> HDF5Handle {
    let space = try HDF5Handle(
      H5Screate(H5S_SCALAR), closing: H5Sclose, "describe attribute \(name)")
    return try HDF5Handle(
      H5Acreate2(id, name, type, space.id, token_h5_default(), token_h5_default()),
      closing: H5Aclose, "create attribute \(name)")
  }
}
