import Foundation
import Synchronization

/// The temporary files that are being written at this moment.
///
/// A program that is told to stop (an interrupt from the keyboard) calls ``removeAll(thenEnd:)``,
/// so that no half-written file stays behind. One that is killed cannot: the next run removes what it left, see
/// ``removeDead(in:)``.
public final class TemporaryFiles: Sendable {
  /// The files of this process.
  public static let shared = TemporaryFiles()

  private let paths = Mutex<Set<String>>([])
  private let cleanedFolders = Mutex<Set<String>>([])

  /// Makes an empty collection.
  public init() {}

  /// Notes a file, before it is begun, that is to be removed should the program stop.
  func insert(_ path: String) {
    paths.withLock { _ = $0.insert(path) }
  }

  /// Forgets a file that is complete or gone.
  func remove(_ path: String) {
    paths.withLock { _ = $0.remove(path) }
  }

  /// Removes every file that is not complete, and ends the program.
  ///
  /// - Parameter end: ends the program; no file can be begun any more when it is called.
  public func removeAll(thenEnd end: () -> Void) {
    paths.withLock { paths in
      for path in paths { unlink(path) }
      paths = []
      // Under the lock: another thread that is about to begin a file waits for it in vain.
      end()
    }
  }

  // MARK: Names

  private static let suffix = ".partial"
  private static let digits = 16

  /// A new name beside `name` for what is not complete; hidden, and no longer than file systems allow.
  static func name(for name: String) -> String {
    // A name may have 255 bytes, on encrypted file systems 143.
    var beginning = ""
    for character in name {
      guard beginning.utf8.count + character.utf8.count <= 100 else { break }
      beginning.append(character)
    }
    let random = hexadecimal(UInt32.random(in: 0 ... .max))
    return ".\(beginning).\(machine)\(random)\(suffix)"
  }

  private static func hexadecimal(_ number: UInt32) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }

  /// Stands for this machine: the FNV-1a hash of its name.
  private static let machine: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let bytes = name.prefix { $0 != 0 }.map { UInt32(UInt8(bitPattern: $0)) }
    return hexadecimal(bytes.reduce(0x811c_9dc5) { ($0 ^ $1) &* 0x0100_0193 })
  }()

  /// Whether a file's name is one that ``name(for:)`` gives.
  static func isTemporary(_ name: String) -> Bool {
    guard name.hasPrefix("."), name.hasSuffix(suffix) else { return false }
    let parts = name.dropFirst().dropLast(suffix.count).split(
      separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1, let random = parts.last, random.utf8.count == digits else {
      return false
    }
    return random.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  // MARK: What killed runs left

  /// Removes the temporary files of a folder that nobody writes any more.
  ///
  /// Whoever writes one holds a lock on it, which the system takes back when the process ends, however it does. Where
  /// the file system has no locks nothing is removed. Some that machines share have locks which another machine does not
  /// see: what was begun on another one must also have stood still for an hour.
  /// - Complexity: O(files of the folder).
  public static func removeDead(in folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where isTemporary(name) {
      let path = folder + "/" + name
      let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      var status = stat()
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0,
        status.kind == S_IFREG, isOfThisMachine(name) || isOld(status)
      {
        unlink(path)
      }
      close(descriptor)
    }
  }

  private static func isOfThisMachine(_ name: String) -> Bool {
    name.dropLast(suffix.count).suffix(digits).hasPrefix(machine)
  }

  private static func isOld(_ status: stat) -> Bool {
    #if canImport(Darwin)
      let changed = status.st_mtimespec.tv_sec
    #else
      let changed = status.st_mtim.tv_sec
    #endif
    return time(nil) - changed > 3600
  }

  /// As ``removeDead(in:)``, the first time that this process writes into the folder.
  func removeDeadOnce(in folder: String) {
    guard cleanedFolders.withLock({ $0.insert(folder).inserted }) else { return }
    Self.removeDead(in: folder)
  }
}
