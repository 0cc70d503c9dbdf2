extension GenerationOrder {
  /// The largest speed of a wavefront: with it no step number of a grid leaves an `Int`.
  static let largestSpeed = 1 << 30

  /// Cells with equal a·frame + b·row + c·column together, the smallest first; raster order within a step.
  ///
  /// With c = 1 a row starts when the one above it is b cells ahead. (a, b, c) = (1, 1, 1) is ``diagonal(on:name:)``, and of
  /// video the diagonals of DiagD with frames in parallel; (0, w, 1) is, below its first row,
  /// ``window(on:width:name:)``. Step numbers that no cell has are passed over.
  ///
  /// - Parameters:
  ///   - frameSpeed: a, how many steps a frame comes after the one before it, from 0 to 2³⁰.
  ///   - rowSpeed: b, how many steps a row comes after the one above, likewise.
  ///   - columnSpeed: c, how many steps a cell comes after the one on its left, likewise.
  /// - Precondition: the speeds are in that range.
  /// - Complexity: O(N log N).
  public static func wavefront(
    on grid: TokenGrid, frameSpeed: Int = 1, rowSpeed: Int = 1, columnSpeed: Int = 1,
    name: String = "wavefront"
  ) -> GenerationOrder {
    precondition(
      [frameSpeed, rowSpeed, columnSpeed].allSatisfy { (0...largestSpeed).contains($0) },
      "speeds are from 0 to \(largestSpeed)")
    let numbers = grid.rasterCells.map {
      frameSpeed * $0.frame + rowSpeed * $0.row + columnSpeed * $0.column
    }
    return GenerationOrder(uncheckedName: name, grid: grid, steps: OrderTable.ranked(numbers))
  }
}
