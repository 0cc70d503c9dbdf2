/// The orders of published models, with the settings that they were published with.
public enum PublishedOrder: CaseIterable, Hashable, Sendable {
  /// PAR, "Parallelized autoregressive visual generation" (Wang et al. 2024), four tokens a step.
  case par4
  /// PAR with sixteen tokens a step.
  case par16
  /// RandAR (Pang et al. 2024, arXiv:2412.01827): a random permutation in 88 steps of growing size.
  case randAR
  /// ARPG (Li et al. 2025, arXiv:2503.10568): a random permutation in 64 steps.
  case arpg
  /// MAR (Li et al. 2024, arXiv:2406.11838): a random permutation in 64 steps.
  case mar
  /// Halton-MaskGIT (Besnier et al. 2025, arXiv:2503.17076): the Halton sequence in 32 steps.
  case haltonMaskGIT
  /// LPD (Zhang et al. 2025, arXiv:2507.01957): 20 steps for 16×16 tokens, 48 for 32×32.
  case lpd
  /// NAR (He et al. 2025, arXiv:2503.10696): the diagonals.
  case nar
  /// ZipAR (He et al. 2024, arXiv:2412.04062) with a window of 8.
  case zipAR8
  /// ZipAR with a window of 16.
  case zipAR16
  /// The two passes of checkerboard context models (He et al. 2021).
  case checkerboard
  /// From coarse to fine, each level at once, in the sequence of VQGAN's subsampling (Esser et al. 2021).
  case levels

  /// The model's or the family's name.
  public var method: String {
    switch self {
    case .par4, .par16: "PAR"
    case .randAR: "RandAR"
    case .arpg: "ARPG"
    case .mar: "MAR"
    case .haltonMaskGIT: "Halton-MaskGIT"
    case .lpd: "LPD"
    case .nar: "NAR"
    case .zipAR8, .zipAR16: "ZipAR"
    case .checkerboard: "checkerboard models"
    case .levels: "coarse to fine"
    }
  }

  /// What a user writes for the order; for other numbers of steps the sequence cut into so many, in the same manner.
  ///
  /// - Parameter steps: nil for the published number; no account is taken of it where the rule fixes the steps.
  public func text(on grid: TokenGrid, steps: Int? = nil) -> String {
    func with(_ own: String, _ name: String, _ settings: String = "") -> String {
      steps.map { "\(name):\(settings)steps=\($0)" } ?? own
    }
    return switch self {
    case .par4: with("distant:n=4", "distant", "n=4,")
    case .par16: with("distant:n=16", "distant", "n=16,")
    case .randAR: with("random:steps=88", "random")
    case .arpg:
      with(
        "random:schedule=masked-arccos,steps=64", "random", "schedule=masked-arccos,")
    case .mar:
      with("random:schedule=masked-cosine,steps=64", "random", "schedule=masked-cosine,")
    case .haltonMaskGIT: with("halton:steps=32", "halton")
    case .lpd:
      with(grid.rows * grid.columns < 32 * 32 ? "lpd:steps=20" : "lpd:steps=48", "lpd")
    case .nar: "diagonal"
    case .zipAR8: "window:w=8"
    case .zipAR16: "window:w=16"
    case .checkerboard: with("checkerboard", "checkerboard")
    case .levels: with("subsample:schedule=levels", "subsample")
    }
  }

  /// What the order is called: the method, and what a user writes for it.
  public func name(on grid: TokenGrid, steps: Int? = nil) -> String {
    "\(method): \(text(on: grid, steps: steps))"
  }

  /// The order on a grid.
  ///
  /// - Parameter steps: how many steps the sequence is cut into, unless the published order has so many; nil for the
  ///   published number.
  /// - Throws: ``GenerationOrderError`` when the order does not fit the grid, or its rule fixes another number of steps.
  /// - Complexity: As that of the family.
  public func order(on grid: TokenGrid, steps: Int? = nil) throws -> GenerationOrder {
    if let steps, let own = try? self.order(on: grid), own.hasSteps(steps) { return own }
    let order = try OrderSpecification(text(on: grid, steps: steps)).order(
      on: grid, named: name(on: grid, steps: steps))
    if let steps, !order.hasSteps(steps) {
      throw GenerationOrderError.fixedSteps(
        order: order.name, steps: order.steps.count, asked: steps)
    }
    return order
  }
}

extension GenerationOrder {
  /// Whether there are so many steps, in each frame or in all.
  fileprivate func hasSteps(_ count: Int) -> Bool {
    steps.count == count || steps.count == count * grid.frames
  }
}
