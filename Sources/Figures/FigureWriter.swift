import Foundation

/// Puts figures into a folder and draws them.
///
/// Every file is written beside its final name and renamed, so that an interrupted run leaves no
/// half file.
public struct FigureWriter: Sendable {
  /// The folder; it is made when a figure is written.
  public let directory: URL
  /// The program that draws, or nil where there is none.
  public let gnuplot: Gnuplot?
  /// How the figures are made, one fact a line; scripts and data begin with these as comments.
  public let provenance: [String]

  /// Makes a writer.
  public init(directory: URL, provenance: [String], gnuplot: Gnuplot? = .installed()) {
    self.directory = directory
    self.provenance = provenance
    self.gnuplot = gnuplot
  }

  /// Writes the script and data of a figure, then draws it in every format.
  ///
  /// Without gnuplot the script and data are written all the same, and the result says so.
  /// - Throws: ``FigureError``. When gnuplot fails the script and data are left for inspection, and
  ///   images that were there before stay.
  public func write(
    _ figure: some Figure, formats: [FigureFormat] = FigureFormat.allCases
  ) throws(FigureError) -> WrittenFigure {
    try check(name: figure.name)
    let files = try figure.files(provenance: provenance)
    try makeDirectory()
    try replace(files)
    let sources = files.map { directory.appendingPathComponent($0.name) }
    guard let gnuplot else { return WrittenFigure(sources: sources, drawing: .gnuplotMissing) }
    var images: [URL] = []
    for format in formats {
      let file = "\(figure.name).\(format.rawValue)"
      let temporary = temporaryName(for: file)
      defer { try? FileManager.default.removeItem(at: directory.appendingPathComponent(temporary)) }
      try gnuplot.draw(
        script: "\(figure.name).gp", in: directory, format: format, to: temporary)
      try rename(temporary, to: file)
      images.append(directory.appendingPathComponent(file))
    }
    return WrittenFigure(sources: sources, drawing: .drawn(images))
  }

  private func check(name: String) throws(FigureError) {
    let isUsable = name.allSatisfy { $0.isLetter || $0.isNumber || "._-+=,:".contains($0) }
    guard isUsable, let first = name.first, first.isLetter || first.isNumber else {
      throw .invalidName(name)
    }
  }

  private func makeDirectory() throws(FigureError) {
    var place = directory.standardizedFileURL
    var isFolder: ObjCBool = false
    while !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder),
      place.path != "/"
    {
      place.deleteLastPathComponent()
    }
    guard isFolder.boolValue else {
      throw .cannotWrite(path: directory.path, reason: "\(place.path) is not a folder")
    }
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path: directory.path, reason: Self.reason(error))
    }
  }

  /// Writes all files beside their names, then renames them all.
  private func replace(_ files: [FigureFile]) throws(FigureError) {
    let temporaries = files.map { temporaryName(for: $0.name) }
    defer {
      for name in temporaries {
        try? FileManager.default.removeItem(at: directory.appendingPathComponent(name))
      }
    }
    for (file, temporary) in zip(files, temporaries) {
      do {
        try Data(file.contents.utf8).write(to: directory.appendingPathComponent(temporary))
      } catch {
        let path = directory.appendingPathComponent(file.name).path
        throw .cannotWrite(path: path, reason: Self.reason(error))
      }
    }
    for (file, temporary) in zip(files, temporaries) { try rename(temporary, to: file.name) }
  }

  private func rename(_ temporary: String, to name: String) throws(FigureError) {
    let (from, to) = (
      directory.appendingPathComponent(temporary).path, directory.appendingPathComponent(name).path
    )
    #if canImport(Darwin)
      let status = Darwin.rename(from, to)
    #else
      let status = Glibc.rename(from, to)
    #endif
    if status != 0 { throw .cannotWrite(path: to, reason: String(cString: strerror(errno))) }
  }

  private func temporaryName(for name: String) -> String {
    ".\(name).\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max)).tmp"
  }

  /// The system's own reason where Foundation tells it, without the sentence around it.
  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileWriteNoPermission: return String(cString: strerror(EACCES))
    case .fileWriteOutOfSpace: return String(cString: strerror(ENOSPC))
    case .fileWriteVolumeReadOnly: return String(cString: strerror(EROFS))
    default: break
    }
    var error = error as NSError
    while let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError { error = underlying }
    guard error.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
    return String(cString: strerror(Int32(error.code)))
  }
}

/// What was written for a figure.
public struct WrittenFigure: Equatable, Sendable {
  /// Whether the figure was drawn.
  public enum Drawing: Equatable, Sendable {
    /// The images, in the order of the formats asked for.
    case drawn([URL])
    /// There is no gnuplot; see ``Gnuplot/installationAdvice``.
    case gnuplotMissing
  }

  /// The script and the data files.
  public let sources: [URL]
  /// The images, if they could be drawn.
  public let drawing: Drawing

  /// Every file that was written.
  public var files: [URL] {
    switch drawing {
    case .drawn(let images): sources + images
    case .gnuplotMissing: sources
    }
  }
}
