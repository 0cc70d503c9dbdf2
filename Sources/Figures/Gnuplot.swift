import Foundation

/// The gnuplot program that draws the scripts.
public struct Gnuplot: Sendable {
  /// Where the program is.
  public let executable: URL

  /// Takes the program at `executable`.
  public init(executable: URL) { self.executable = executable }

  /// The gnuplot found first in the folders of `path`, or nil.
  ///
  /// - Parameter path: folders separated by colons; the process's own `PATH` unless given.
  public static func installed(
    path: String? = ProcessInfo.processInfo.environment["PATH"]
  ) -> Gnuplot? {
    for folder in (path ?? "").split(separator: ":") {
      let candidate = URL(fileURLWithPath: String(folder), isDirectory: true)
        .appendingPathComponent("gnuplot")
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isDirectory),
        !isDirectory.boolValue, FileManager.default.isExecutableFile(atPath: candidate.path)
      {
        return Gnuplot(executable: candidate)
      }
    }
    return nil
  }

  /// How to get gnuplot and draw what was written without it.
  public static let installationAdvice =
    "gnuplot was not found; install it (Debian, Ubuntu: apt-get install gnuplot-nox; macOS: brew"
    + " install gnuplot) and run it on the .gp files"

  /// Draws `script` of `directory` and returns the whole image.
  ///
  /// gnuplot writes into a pipe: it does not look whether a disk took what it drew, and a run that is interrupted leaves
  /// no file of its own. The user's own gnuplot settings are not read, so that a figure looks the same everywhere.
  /// - Throws: ``FigureError/gnuplotFailed(script:message:)`` when gnuplot cannot be started, reports an error, or draws
  ///   nothing or a part.
  func draw(script: String, in directory: URL, format: FigureFormat) throws(FigureError) -> Data {
    let process = Process()
    process.executableURL = executable
    process.currentDirectoryURL = directory
    process.arguments = [
      "-d", "-e",
      "format = '\(format.rawValue)'; output = \(GnuplotText.quoted(Self.standardOutput))", script,
    ]
    let (drawing, messages) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = drawing
    process.standardError = messages
    do {
      try process.run()
    } catch {
      throw .gnuplotFailed(script: script, message: "\(executable.path) cannot be run")
    }
    let (image, text) = Self.contents(
      drawing.fileHandleForReading.fileDescriptor, messages.fileHandleForReading.fileDescriptor)
    process.waitUntilExit()
    let said = String(decoding: text, as: UTF8.self)
    guard process.terminationReason == .exit, process.terminationStatus == 0,
      format.isWhole(image)
    else {
      let message = said.split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty && $0 != "^" }
        .joined(separator: "; ")
      let what = image.isEmpty ? "it drew nothing" : "it drew only a part"
      throw .gnuplotFailed(
        script: script, message: message.isEmpty ? "\(what) and gave no reason" : message)
    }
    return image
  }

  /// Where a program on the other side of a pipe writes to by the name of a file.
  private static let standardOutput = "/dev/stdout"

  /// Everything that two pipes bring, read by turns so that neither fills up.
  private static func contents(_ first: Int32, _ second: Int32) -> (Data, Data) {
    var contents = [Data(), Data()]
    var waited = [first, second].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while waited.contains(where: { $0.fd >= 0 }) {
      guard poll(&waited, nfds_t(waited.count), -1) >= 0 || errno == EINTR else { break }
      for index in waited.indices where waited[index].fd >= 0 && waited[index].revents != 0 {
        waited[index].revents = 0
        let count = read(waited[index].fd, &buffer, buffer.count)
        if count > 0 {
          contents[index].append(contentsOf: buffer[..<count])
        } else if count == 0 || errno != EINTR {
          // poll(2) passes over negative descriptors.
          waited[index].fd = -1
        }
      }
    }
    return (contents[0], contents[1])
  }
}

extension FigureFormat {
  /// Whether an image ends as its format does: one that was cut short does not.
  func isWhole(_ image: Data) -> Bool {
    switch self {
    case .png:
      // The length, name and checksum of the last chunk.
      image.starts(with: [0x89, 0x50, 0x4E, 0x47])
        && image.suffix(12)
          == Data([0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
    case .svg: Self.ends(image, with: "</svg>")
    case .pdf: image.starts(with: Data("%PDF-".utf8)) && Self.ends(image, with: "%%EOF")
    }
  }

  private static func ends(_ image: Data, with text: String) -> Bool {
    let end = image.suffix(text.utf8.count + 16).reversed().drop { $0 <= 0x20 }
    return end.starts(with: text.utf8.reversed())
  }
}
