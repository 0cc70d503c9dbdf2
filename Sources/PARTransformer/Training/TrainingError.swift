/// Why a training run cannot start, or go on.
public enum TrainingError: Error, Equatable {
  /// Tokens without a codebook.
  case noCodes(dataset: String)
  /// A setting outside its range.
  case badSetting(name: String, value: String, expected: String)
  /// A folder that already holds a run, and no wish to resume it.
  case alreadyStarted(checkpoint: String, step: Int)
  /// A folder in which another process is training.
  case alreadyRunning(directory: String)
  /// A checkpoint of another run: the first fact that differs.
  case differentRun(checkpoint: String, what: String, found: String, asked: String)
  /// A checkpoint that does not hold what it should.
  case damagedCheckpoint(file: String, reason: String)
  /// A loss or gradient that is not a finite number.
  case notFinite(step: Int, loss: Double, checkpointStep: Int?, directory: String)
  /// Tokens of another kind than a model was trained on.
  case differentTokens(
    model: String, dataset: String, what: String, found: String, expected: String)
  /// A model file that does not say how it was trained.
  case notTrainedHere(model: String, missing: String)
  /// No image to measure.
  case nothingHeldOut(model: String)
}

extension TrainingError: CustomStringConvertible {
  /// One sentence for the user: what was found, where, and what to do.
  public var description: String {
    switch self {
    case .noCodes(let dataset):
      "\(dataset): holds features and no codes; a PAR model learns codes of a codebook"
    case .badSetting(let name, let value, let expected):
      "\(name) is \(value); expected \(expected)"
    case .alreadyStarted(let checkpoint, let step):
      "\(checkpoint): a run was begun here and is at step \(step); resume it or choose another folder"
    case .alreadyRunning(let directory):
      "\(directory): another run is at work in this folder; wait for it or choose another folder"
    case .differentRun(let checkpoint, let what, let found, let asked):
      "\(checkpoint): the run there was begun with \(what) \(found), but \(asked) is asked for;"
        + " repeat what it was begun with, or choose another folder"
    case .damagedCheckpoint(let file, let reason):
      "\(file): no checkpoint of a training run: \(reason)"
    case .notFinite(let step, let loss, let checkpointStep, let directory):
      "the loss of step \(step) is \(loss) and its gradient is not finite; training stopped, and"
        + (checkpointStep.map { " \(directory) keeps the checkpoint of step \($0)" }
          ?? " there is no checkpoint yet") + "; try a smaller learning rate"
    case .differentTokens(let model, let dataset, let what, let found, let expected):
      "\(dataset): its \(what) is \(found), but \(model) was trained on \(expected)"
    case .notTrainedHere(let model, let missing):
      "\(model): its metadata has no \(missing); expected a model written by par-train"
    case .nothingHeldOut(let model):
      "\(model): no image of its dataset was held out; measure it on other images"
    }
  }
}
