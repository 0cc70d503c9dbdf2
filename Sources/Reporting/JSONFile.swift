import Files
import Foundation

/// A value as a JSON file, written beside its name and renamed.
package enum JSONFile {
  package static func write(_ value: some Encodable, to path: String) throws {
    try OutputFile.write(makeJSONEncoder(.prettyPrinted).encode(value), to: path)
  }

  /// The value of a file; nil where there is none, or one that cannot be read as this.
  ///
  /// Names may be in snake_case or, as earlier versions wrote them, as the properties are called.
  package static func read<Value: Decodable>(_ type: Value.Type, from path: String) -> Value? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(type, from: data)
  }
}
