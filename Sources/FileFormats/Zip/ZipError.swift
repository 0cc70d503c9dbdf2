/// Why a zip archive could not be read.
public enum ZipError: Error, Equatable {
  /// The file is no zip archive, or its directory is cut off.
  case notZip(file: String, reason: String)
  /// A member that cannot be read to its end.
  case damagedMember(file: String, member: String, reason: String)
  /// A member that is needed and not there.
  case missingMember(file: String, member: String)
  /// A member that is larger than what it could sensibly hold.
  case oversizedMember(file: String, member: String, bytes: UInt64, limit: UInt64)
}

extension ZipError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what was expected.
  public var description: String {
    switch self {
    case .notZip(let file, let reason):
      "\(file): not a zip archive, or damaged: \(reason)"
    case .damagedMember(let file, let member, let reason):
      "\(file): the member \(member) is damaged: \(reason)"
    case .missingMember(let file, let member):
      "\(file): has no member \(member)"
    case .oversizedMember(let file, let member, let bytes, let limit):
      "\(file): the member \(member) is \(bytes) bytes long; at most \(limit) are read"
    }
  }
}
