import CKernels
import LinearAlgebra
import Synchronization

/// The activations of a convolutional network for one image, channels last: `height × width ×
/// channels`.
///
/// A map is written once, by the operation that makes it, and read from then on. Its memory goes
/// back to the pool it came from, because fresh pages cost more than a cheap layer.
public final class FeatureMap: Sendable {
  /// The rows of pixels.
  public let height: Int
  /// The columns of pixels.
  public let width: Int
  /// The floats of one pixel.
  public let channels: Int
  let buffer: FloatBuffer
  let pool: FeatureMapPool

  /// Memory for a map; what it holds is undefined.
  init(height: Int, width: Int, channels: Int, pool: FeatureMapPool) {
    precondition(height > 0 && width > 0 && channels > 0, "a map has at least one number")
    self.height = height
    self.width = width
    self.channels = channels
    self.pool = pool
    // Register tiles may read a few rows past the end.
    buffer = pool.take(count: (height * width + Int(TE_ROW_SLACK)) * channels)
  }

  /// A map of the given numbers, row-major `height × width × channels`.
  ///
  /// - Precondition: there are as many numbers as the map has places.
  public convenience init(
    height: Int, width: Int, channels: Int, elements: [Float], pool: FeatureMapPool
  ) {
    precondition(elements.count == height * width * channels, "the numbers fill the map")
    self.init(height: height, width: width, channels: channels, pool: pool)
    buffer.write(elements, at: 0)
  }

  /// A map as large as another, of the given numbers.
  ///
  /// - Precondition: there are as many numbers as the map has places.
  public convenience init(like map: FeatureMap, elements: [Float]) {
    self.init(
      height: map.height, width: map.width, channels: map.channels, elements: elements,
      pool: map.pool)
  }

  /// The numbers, row-major `height × width × channels`.
  public var elements: [Float] { buffer[0..<height * width * channels] }

  /// The number of pixels.
  public var pixels: Int { height * width }

  /// The same numbers as a matrix `pixels × channels`.
  public var matrix: FloatMatrix {
    FloatMatrix(rows: pixels, columns: channels, elements: elements)
  }

  /// Memory for a map of the same size with so many channels.
  func like(channels: Int) -> FeatureMap {
    FeatureMap(height: height, width: width, channels: channels, pool: pool)
  }

  deinit { pool.give(buffer) }
}

/// Memory that the maps of a network share, one after the other.
public final class FeatureMapPool: Sendable {
  private let free = Mutex<[FloatBuffer]>([])
  /// How many threads work on one layer.
  let workers: Int

  /// An empty pool, for layers that so many threads work on.
  public init(workers: Int) { self.workers = max(1, workers) }

  /// A buffer of at least `count` floats and not much more, its contents undefined.
  func take(count: Int) -> FloatBuffer {
    let found = free.withLock { free -> FloatBuffer? in
      let fitting = free.indices.filter { free[$0].count >= count && free[$0].count <= 2 * count }
      guard let best = fitting.min(by: { free[$0].count < free[$1].count }) else { return nil }
      return free.remove(at: best)
    }
    return found ?? FloatBuffer(count: count)
  }

  /// Takes a buffer back.
  func give(_ buffer: FloatBuffer) { free.withLock { $0.append(buffer) } }

  /// Runs `body` for each piece, on all workers; each has scratch of its own.
  func forEachPiece(
    _ pieces: Int, scratch floats: Int,
    _ body: @Sendable (_ piece: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let workers = min(workers, pieces)
    let scratch = (0..<workers).map { _ in take(count: floats) }
    let next = Atomic(0)
    parallelFor(workers) { worker in
      while true {
        let piece = next.add(1, ordering: .relaxed).oldValue
        guard piece < pieces else { return }
        body(piece, scratch[worker].pointer)
      }
    }
    for buffer in scratch { give(buffer) }
  }
}
