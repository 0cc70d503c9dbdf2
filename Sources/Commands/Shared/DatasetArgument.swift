import ArgumentParser
import EmbeddedData
import FileFormats
import Files
import Foundation
import TokenData

extension ChannelPlacement: ExpressibleByArgument {}

/// A token dataset as the command line names it: an embedded set by its name, or any file by its path, arrays of another
/// program among them.
///
/// The names are reserved, so that a command means the same in every folder; `./scenes` is a file of that name.
struct DatasetArgument: ExpressibleByArgument, Hashable {
  /// What the user typed.
  let text: String
  /// What was said of arrays of another program.
  var arrays = ArrayTokens()

  init(argument: String) { text = argument }

  /// How help shows it as a default.
  var defaultValueDescription: String { text }

  /// What help says of every argument that takes a dataset.
  static let help = """
    A token dataset (HDF5), an array of codes or features (.npy, .npz), a folder of LlamaGen codes, or an embedded \
    dataset by its name: \(EmbeddedData.names.joined(separator: ", ")) (./\(EmbeddedData.names[0]) is a file of that name).
    """

  /// What help says of `--channels`.
  static let channelsHelp = ArgumentHelp(
    "Where the channels of features stand: first, as in (images, channels, rows, columns), or last. (default: last, and"
      + " extents that look otherwise are refused)", valueName: "place")

  /// Where the file is.
  ///
  /// - Throws: ``UnknownDataset`` when it is a bare word that names neither an embedded set nor a file. Of a path
  ///   with folders, whoever opens it says what is wrong.
  var path: String {
    get throws {
      if let embedded = EmbeddedData.dataset(named: text) {
        InputFiles.shared.insert(embedded.path)
        return embedded.path
      }
      // No output may take its place.
      InputFiles.shared.insert(text)
      guard text.contains("/") || FileManager.default.fileExists(atPath: text) else {
        throw UnknownDataset(text: text)
      }
      return text
    }
  }

  /// The name for results: the path as it was typed, of an embedded set the name of its file.
  ///
  /// The path of an embedded set is one of the machine's, and would make equal results differ.
  var displayName: String {
    EmbeddedData.dataset(named: text)?.lastPathComponent ?? text
  }

  /// Opens the dataset, which must be a file of tokens.
  ///
  /// - Throws: ``UnknownDataset``, or what is wrong with the file, in one sentence.
  func open(channels: ChannelPlacement? = nil) throws -> TokenDatasetFile {
    let path = try path
    guard !ArrayTokens.areAt(path) else {
      throw ValidationError(
        "\(text): is an array, and a file of tokens is expected; `tokenize import` makes one of it")
    }
    try arrays.refuse(beside: text)
    return try TokenDatasetFile(path: path, channels: channels)
  }

  /// Opens the dataset to look at it: a file is read where it is looked at, a folder of arrays is read into memory.
  ///
  /// - Throws: ``UnknownDataset``, or what is wrong with the file, in one sentence.
  func described(channels: ChannelPlacement? = nil) throws -> any DescribedTokens {
    let path = try path
    guard ArrayTokens.areAt(path) else { return try open(channels: channels) }
    return try arrays.described(path, channels: channels) ?? load(channels: channels)
  }

  /// Reads the dataset into memory.
  ///
  /// - Parameters:
  ///   - limit: How many images, drawn at random; nil for all.
  ///   - seed: The seed of that draw.
  ///   - channels: Where the channels of continuous tokens stand; see there, too.
  ///   - centred: Whether the place of the origin may be changed; see ``TokenDatasetFile``.
  /// - Throws: ``UnknownDataset``, or what is wrong with the file, in one sentence.
  func load(
    sampling limit: Int? = nil, seed: UInt64 = 0, centred: Bool = false,
    channels: ChannelPlacement? = nil
  ) throws -> TokenDataset {
    let path = try path
    if ArrayTokens.areAt(path) {
      return try arrays.load(
        path, sampling: limit, seed: seed, centred: centred, channels: channels)
    }
    try arrays.refuse(beside: text)
    guard let limit else {
      return try TokenDataset(contentsOf: path, centred: centred, channels: channels)
    }
    return try TokenDataset(
      contentsOf: path, sampling: limit, seed: seed, centred: centred, channels: channels)
  }
}

/// A word that is neither a file nor an embedded dataset.
struct UnknownDataset: Error, Equatable, CustomStringConvertible {
  let text: String

  var description: String {
    let names = EmbeddedData.names
    return """
      \(text): there is no such file; the embedded datasets are \(names.dropLast().joined(separator: ", ")) \
      and \(names.last ?? "")
      """
  }
}
