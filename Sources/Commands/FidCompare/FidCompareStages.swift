import ArgumentParser
import Experiments
import Reporting

/// Which part of a comparison a process does.
struct ComparisonStageOptions: ParsableArguments {
  @Option(
    name: .customLong("stage"),
    help: ArgumentHelp(
      "Do one stage of the work, keep it in the output folder and end: prepare, train:i/N or measure:i/N. (default: all, and the result)",
      valueName: "stage"))
  var stageText: String?

  @Option(
    help: ArgumentHelp(
      "List the stages of the work, of measuring so many, in an order in which they can be done, and end.",
      valueName: "parts"))
  var listStages: Int?

  /// The part; nil for the whole.
  var task: ComparisonTask? { stageText.flatMap { ComparisonTask($0) } }

  func validate() throws {
    if let stageText {
      guard task != nil else {
        throw ValidationError(
          "--stage \(stageText): expected prepare, train:i/N or measure:i/N, as in measure:2/8")
      }
      guard listStages == nil else {
        throw ValidationError("--stage and --list-stages exclude each other")
      }
    }
    if let listStages, !(1...100_000).contains(listStages) {
      throw ValidationError("--list-stages \(listStages): 1 to 100000 parts are possible")
    }
  }

  /// What became of a part.
  func told(_ task: ComparisonTask, _ outcome: (pieces: Int, made: Int)) -> String {
    let pieces = "\(outcome.pieces) \(outcome.pieces == 1 ? "piece" : "pieces")"
    return outcome.pieces == 0
      ? "\(task): nothing falls to this part"
      : "\(task): \(pieces), \(outcome.made) made now, \(outcome.pieces - outcome.made) there before"
  }
}

extension FidCompareRun {
  private struct StageList: Encodable {
    struct Stage: Encodable {
      let name: String
      let after: [String]
    }
    let command = "fid-compare"
    let stages: [Stage]
    let provenance: Provenance
  }

  /// Refuses options for results that a stage does not have.
  func refuseResultsOfStages() throws {
    guard stage.task != nil || stage.listStages != nil else { return }
    let option = stage.task == nil ? "--list-stages" : "--stage"
    for (name, isGiven) in [
      ("--json", format.json && stage.task != nil), ("--csv", format.csv),
      ("--no-figure", figures.noFigure), ("--figure-format", !figures.format.given.isEmpty),
    ] where isGiven {
      throw ValidationError(
        "\(name) is for the result, and \(option) has none: give it when all stages are done")
    }
  }

  /// Prints the stages, one a line, or with those that come before them.
  func listStages(measuringParts parts: Int) throws {
    let trainings =
      architecture == .par
      ? (texts.isEmpty ? ComparisonConfiguration.standard : texts).reduce(0) {
        $0 + ComparisonConfiguration.models(of: $1, asked: models.seeds)
      } : models.anyOrderSeeds
    let all = ComparisonTask.all(trainings: trainings, measuringParts: parts)
    guard format.json else {
      return try printText(all.map(\.task.description).joined(separator: "\n"))
    }
    try printJSON(
      StageList(
        stages: all.map {
          StageList.Stage(name: $0.task.description, after: $0.after.map(\.description))
        }, provenance: Provenance(seed: seed)))
  }
}
