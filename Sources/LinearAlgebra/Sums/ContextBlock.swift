import CKernels

/// Some numbers on whole cache lines.
package final class AlignedNumbers<Scalar: WhiteningScalar>: @unchecked Sendable {
  package let count: Int
  package let base: UnsafeMutablePointer<Scalar>

  /// Makes room for numbers, which are zero.
  package init(count: Int) {
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Scalar>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    base = raw.bindMemory(to: Scalar.self, capacity: max(count, 1))
  }

  deinit { base.deallocate() }
}

/// Some whitened images side by side, and their weights given each context, for the residuals of tokens given ever shorter
/// contexts: that of token k given the tokens before place a is Σ_{j=a…k} L_kj·z_j.
package final class ContextBlock<Scalar: ContextScalar>: @unchecked Sendable {
  /// The images.
  package let count: Int
  /// The images and what fills them up to whole vectors, zeros that weigh nothing.
  package let width: Int
  /// The tokens of an image.
  package let places: Int
  /// d, the numbers of a token.
  package let channels: Int
  private let whitened: AlignedNumbers<Scalar>
  private let weights: AlignedNumbers<Scalar>

  /// Puts whitened rows side by side.
  package init(_ rows: WhitenedRows<Scalar>, channels: Int) {
    count = rows.count
    width = rows.count.roundedUp(toMultipleOf: Int(TE_IMAGE_STRIP))
    places = rows.columns / channels
    self.channels = channels
    whitened = AlignedNumbers(count: rows.columns * width)
    weights = AlignedNumbers(count: places * width)
    let (to, width) = (whitened.base, width)
    rows.withRows {
      Scalar.contextKernels.columns(rows.count, rows.columns, $0, $1, width, to)
    }
  }

  /// Sets the weights of the images given the tokens before a place.
  package func setWeights(_ values: [Scalar], at place: Int) {
    precondition(values.count == count, "a weight for each image")
    values.withUnsafeBufferPointer {
      if let from = $0.baseAddress {
        (weights.base + place * width).update(from: from, count: count)
      }
    }
  }

  /// What the passes of one thread write to.
  package struct Scratch: Sendable {
    fileprivate let residuals: AlignedNumbers<Scalar>
    fileprivate let norms: AlignedNumbers<Scalar>
    fileprivate let doubles: AlignedNumbers<Double>

    /// Makes room for blocks as large as one.
    package init(for block: ContextBlock) {
      residuals = AlignedNumbers(count: ContextBlock.paddedRows(block.channels) * block.width)
      norms = AlignedNumbers(count: block.places * block.width)
      doubles = AlignedNumbers(count: block.width)
    }
  }

  /// The channels rounded up to the rows that are worked on together.
  package static func paddedRows(_ channels: Int) -> Int { channels.roundedUp(toMultipleOf: 4) }

  private func context(
    of token: Int, _ factor: UnsafePointer<Scalar>, _ scratch: Scratch
  ) -> te_context_residuals {
    te_context_residuals(
      images: width, channels: channels, rows: Self.paddedRows(channels), token: token, first: 0,
      whitened: whitened.base, factor: factor, weights: weights.base,
      residuals: scratch.residuals.base)
  }

  /// Adds Σ w·e·eᵀ of a token's residuals given the tokens before each place up to its own.
  ///
  /// - Parameters:
  ///   - factor: L_kj by place j, padded rows × channels each.
  ///   - sums: By place, padded rows squared.
  /// - Complexity: O(images · token · d²).
  package func addProducts(
    of token: Int, factor: [Scalar], to sums: inout [Double], scratch: Scratch
  ) {
    factor.withUnsafeBufferPointer { factor in
      sums.withUnsafeMutableBufferPointer { sums in
        guard let factor = factor.baseAddress, let sums = sums.baseAddress else { return }
        withUnsafePointer(to: context(of: token, factor, scratch)) {
          Scalar.contextKernels.products($0, sums)
        }
      }
    }
  }

  /// Adds to `squares` the sums over the images of (w·|T·e|²)², and to `runs`, unless it is empty, the sums of `te_run_sums`.
  ///
  /// - Parameters:
  ///   - transforms: T by place, padded rows squared, zero above the diagonal.
  ///   - starts: For each image whether it begins a run.
  ///   - shift: Near the mean of w·|T·e|².
  /// - Complexity: O(images · token · d²).
  package func addNorms(
    of token: Int, factor: [Scalar], transforms: [Scalar], starts: ArraySlice<UInt8>,
    shift: Double, squares: inout [Double], runs: inout [Double], scratch: Scratch
  ) {
    let places = token + 1
    factor.withUnsafeBufferPointer { factor in
      transforms.withUnsafeBufferPointer { transforms in
        guard let factor = factor.baseAddress, let transforms = transforms.baseAddress else {
          return
        }
        withUnsafePointer(to: context(of: token, factor, scratch)) {
          Scalar.contextKernels.norms($0, transforms, scratch.norms.base)
        }
      }
    }
    squares.withUnsafeMutableBufferPointer {
      if let sums = $0.baseAddress {
        Scalar.contextKernels.squares(places, width, scratch.norms.base, sums)
      }
    }
    guard !runs.isEmpty else { return }
    runs.withUnsafeMutableBufferPointer { runs in
      starts.withUnsafeBufferPointer { starts in
        guard let runs = runs.baseAddress, let starts = starts.baseAddress else { return }
        Scalar.contextKernels.runs(
          places, width, count, scratch.norms.base, starts, shift, scratch.doubles.base, runs)
      }
    }
  }
}
