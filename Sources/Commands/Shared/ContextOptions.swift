import ArgumentParser
import EntropyEstimation

/// What orders' regressions see of the context, and how their coefficients are shrunk, where images are few.
///
/// A command without orders of its own lists none of this, and refuses it in a sentence.
struct ContextOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Use only context tokens at most this many rows and columns away, for few images. Tokens of a step that are farther"
        + " apart count as independent whatever the data say, so this is not for comparing orders.",
      valueName: "cells"))
  var contextWindow: Int?

  @Option(
    help: ArgumentHelp(
      "Shrink coefficients by a ridge of this times the mean variance, for few images: entropies are biased then,"
        + " held-out bounds remain upper bounds.",
      valueName: "lambda"))
  var ridge: Double?

  @Flag(
    help: ArgumentHelp(
      "Shrink coefficients by the ridge that Ledoit and Wolf's covariance amounts to; biased as --ridge is."
    ))
  var ledoitWolf = false

  func validate() throws {
    if let contextWindow, contextWindow < 1 {
      throw ValidationError("--context-window \(contextWindow): at least 1 is needed")
    }
    if let ridge, !(ridge > 0 && ridge.isFinite) {
      throw ValidationError("--ridge \(ridge): expected a positive number")
    }
    if ridge != nil && ledoitWolf {
      throw ValidationError("--ridge and --ledoit-wolf exclude each other")
    }
    if shrinkage != .none, contextWindow != nil {
      throw ValidationError("--ridge and --ledoit-wolf exclude --context-window")
    }
  }

  /// How coefficients are shrunk.
  var shrinkage: Shrinkage { ledoitWolf ? .ledoitWolf : ridge.map { .ridge($0) } ?? .none }

  /// Refuses what does not go with a bound, a regressor or errors.
  func check(with estimation: EstimationOptions) throws {
    if contextWindow != nil,
      estimation.bound == .heldOut || estimation.regressor != .linear
    {
      throw ValidationError("--context-window is for in-sample bounds of the linear regressor")
    }
    guard shrinkage != .none else { return }
    guard estimation.bound != .debiased else {
      throw ValidationError(
        "\(ledoitWolf ? "--ledoit-wolf" : "--ridge") shrinks coefficients, and the debiased bound is for least squares:"
          + " use --bound held-out, or --bound wishart, which is then biased")
    }
    guard estimation.bound == .heldOut || estimation.errors != .robust else {
      throw ValidationError(
        "--errors robust is for fits that are not shrunk: leave it out, or use --bound held-out")
    }
  }

  /// Refuses all of it for a command that has no use for it.
  ///
  /// - Parameter reason: Why, as in "a map's context is one token".
  func refuse(because reason: String) throws {
    for (name, isGiven) in [
      ("--context-window", contextWindow != nil), ("--ridge", ridge != nil),
      ("--ledoit-wolf", ledoitWolf),
    ] where isGiven {
      throw ValidationError("\(name) is for order-compare: \(reason)")
    }
  }
}
