/// The families of built-in orders; the raw value is the name the user types.
public enum OrderFamily: String, CaseIterable, Hashable, Sendable {
  /// Row by row, see ``GenerationOrder/raster(on:tokensPerStep:initialSteps:name:)``.
  case raster
  /// The paper's order, see ``GenerationOrder/distant(on:tokensPerStep:initialSteps:name:)``.
  case distant
  /// Adjacent blocks, see ``GenerationOrder/blocks(on:tokensPerStep:initialSteps:name:)``.
  case blocks
  /// Equal row + column, see ``GenerationOrder/diagonal(on:name:)``.
  case diagonal
  /// ZipAR's window, see ``GenerationOrder/window(on:width:name:)``.
  case window
  /// A seeded permutation, see ``GenerationOrder/random(on:seed:schedule:name:)``.
  case random
  /// The Halton sequence, see ``GenerationOrder/halton(on:schedule:name:)``.
  case halton
  /// A spiral, see ``GenerationOrder/spiral(on:direction:tokensPerStep:initialSteps:name:)``.
  case spiral
  /// The Hilbert curve, see ``GenerationOrder/hilbert(on:tokensPerStep:initialSteps:name:)``.
  case hilbert
  /// The Z curve, see ``GenerationOrder/zCurve(on:tokensPerStep:initialSteps:name:)``.
  case zcurve
  /// From coarse to fine, see ``GenerationOrder/subsample(on:tokensPerStep:initialSteps:name:)``.
  case subsample
  /// Near what is there and far from each other, see ``GenerationOrder/lpd(on:steps:repulsion:proximity:seed:name:)``.
  case lpd
  /// One colour, then the other, see ``GenerationOrder/checkerboard(on:steps:seed:name:)``.
  case checkerboard
  /// Slanted fronts, see ``GenerationOrder/wavefront(on:frameSpeed:rowSpeed:columnSpeed:name:)``.
  case wavefront

  /// One line for help texts: what a step of the order holds.
  public var summary: String {
    switch self {
    case .raster: "row by row, runs of n neighbours"
    case .distant: "the paper's order: one token of each of n distant regions, n = s × s"
    case .blocks: "adjacent s × s blocks, n = s × s: the spatial worst case"
    case .diagonal: "cells with equal row + column (NAR)"
    case .window: "rows that start w cells after the row above (ZipAR)"
    case .random: "a seeded permutation, in runs of n or by a schedule (RandAR)"
    case .halton: "Halton points, in runs of n or by a schedule (Halton-MaskGIT)"
    case .spiral: "a spiral from the corner or from the centre, runs of n"
    case .hilbert: "the Hilbert curve, runs of n"
    case .zcurve: "the Z curve (Morton order), runs of n"
    case .subsample: "from coarse to fine (VQGAN's subsampling), runs of n or whole levels"
    case .lpd: "cells near what is there, far from each other (LPD)"
    case .checkerboard: "one colour in steps - 1 groups, then the other at once (GtR)"
    case .wavefront: "cells with equal a·frame + b·row + c·column"
    }
  }

  /// The keys that may follow the name, as in `distant:n=16,initial=0`.
  public var keys: [OrderKey] {
    switch self {
    case .raster, .distant, .blocks, .halton, .hilbert, .zcurve, .subsample:
      [.n, .initial, .schedule, .steps]
    case .diagonal: []
    case .window: [.w]
    case .random: [.n, .initial, .schedule, .steps, .seed, .seeds]
    case .spiral: [.n, .initial, .schedule, .steps, .direction]
    case .lpd: [.steps, .repulsion, .proximity, .seed, .seeds]
    case .checkerboard: [.steps, .seed, .seeds]
    case .wavefront: [.a, .b, .c]
    }
  }

  /// All families, keys and file forms as aligned lines for a command's help, none longer than 79 characters.
  public static var help: String {
    func entry(_ name: String, _ text: String) -> String {
      var lines = ["  " + name + String(repeating: " ", count: max(2, 12 - name.count))]
      let indent = lines[0].count
      var isFirst = true
      for word in text.split(separator: " ") {
        if lines[lines.count - 1].count + word.count + 1 > 79 {
          lines.append(String(repeating: " ", count: indent))
          isFirst = true
        }
        lines[lines.count - 1] += isFirst ? word : " " + word
        isFirst = false
      }
      return lines.joined(separator: "\n")
    }
    let families = allCases.map { family in
      let keys = family.keys.map { "\($0)=" }.joined(separator: ",")
      return entry(family.rawValue, family.summary + (keys.isEmpty ? "" : " [\(keys)]"))
    }
    let keys = OrderKey.allCases.map { entry("\($0)=", $0.summary) }
    return """
      An order is a family, as in raster, distant:n=16 or random:seed=7,n=4:
      \(families.joined(separator: "\n"))
      with the keys
      \(keys.joined(separator: "\n"))
      or a file: .txt and .csv hold a table of step numbers (equal numbers are one
      step); .json holds {"grid":[H,W],"steps":[[[row,column],…],…]}, steps of
      raster indices [[0],[1,12],…], or {"sequence":[…],"group_sizes":[…]}, with
      several "orders" of which file.json#k is one (#0); .npy holds step numbers
      (H, W) or a sequence (N,). A list of N numbers is a sequence if they are 0 to
      N-1, else step numbers; - is standard input. A file's sequence is cut anew
      by n=, initial=, schedule= or steps=, as in file.json:steps=24.
      """
  }
}

/// The keys of `name:key=value`.
public enum OrderKey: String, CaseIterable, Hashable, Sendable {
  /// Tokens per step.
  case n
  /// Leading single-cell steps.
  case initial
  /// The width of ZipAR's window.
  case w
  /// The seed of what is random.
  case seed
  /// How many seeds are tried, from the seed on.
  case seeds
  /// How the sequence is cut into steps.
  case schedule
  /// The number of steps of a schedule.
  case steps
  /// Which way a spiral runs.
  case direction
  /// How far apart the cells of a step of LPD are kept.
  case repulsion
  /// How near a cell must be to what is there.
  case proximity
  /// Steps from frame to frame.
  case a
  /// Steps from row to row.
  case b
  /// Steps from column to column.
  case c

  /// One line for help texts.
  public var summary: String {
    switch self {
    case .n: "tokens per step; overrules the command's own"
    case .initial: "how many steps at the start hold a single token (n)"
    case .w: "how many cells a row runs ahead of the row below; no default"
    case .seed: "the seed of what is random (0)"
    case .seeds: "so many orders, of seed and the seeds after it; order-compare shows their mean"
    case .schedule:
      "constant: runs of n, or with steps= groups of equal size; cosine, arccos: growing steps;"
        + " masked-cosine, masked-arccos: the same, rounded as in MAR and ARPG;"
        + " optimal: sizes fitted to tokens, needs steps=; levels: whole levels of subsample"
    case .steps:
      "steps in a frame, of a video in all for optimal (cells / n); without schedule="
        + " random is cut by cosine, halton by arccos, others into equal groups;"
        + " lpd: 20, checkerboard: 2"
    case .direction: "in: from the corner; out: from the centre (in)"
    case .repulsion: "cells of a step are further apart than this, while they can be (2)"
    case .proximity: "sum of 1 / distance over generated neighbours of cells taken first (1)"
    case .a: "steps from frame to frame (1)"
    case .b: "steps from row to row (1)"
    case .c: "steps from column to column (1)"
    }
  }
}
