import EntropyEstimation
import SystemResources
import Testing
import TokenData
import TokenGrids

@testable import Commands

private let cell = GridCell(row: 1, column: 0)

/// Every remedy in the words of a command line, where all options are offered.
@Test(
  arguments: [
    (
      EstimationError.tooFewImages(
        source: "a", images: 12, predictors: 9, channels: 3, largestFeatureDimensions: 2,
        largestWindow: 1, means: 1),
      "needed, or --feature-dimensions 2 or fewer, or --context-window 1"
    ),
    (
      .tooFewFittedImages(
        source: "a", images: 12, all: 16, predictors: 10, channels: 2, largestFeatureDimensions: 1),
      "needed, or --folds 16 or more, or --feature-dimensions 1"
    ),
    (
      .constantChannel(source: "a", cell: cell, channel: 0, images: 9),
      "; remove it with --feature-dimensions or add --jitter"
    ),
    (
      .dependentChannel(source: "a", cell: cell, channel: 0, context: "b"),
      "; reduce --feature-dimensions or add --jitter"
    ),
    (
      .ridgeTooSmall(source: "a", images: 9, degreesOfFreedom: 1, channels: 2),
      "; use a larger --ridge"
    ),
    (
      .tooFewImagesForFeatures(source: "a", images: 30, tokens: 4, channels: 2, functions: 6),
      "needed; --features-per-token 5 or fewer would do"
    ),
    (
      .tooFewImagesForFeatures(source: "a", images: 8, tokens: 4, channels: 2, functions: 6),
      "needed, and none would do: use --regressor linear or fewer --feature-dimensions"
    ),
    (.trainingDiverged(source: "a", epoch: 3), "epoch 3; lower --learning-rate"),
    (
      .notGivenClass,
      "in-sample: use --bound debiased, wishart or algorithm-1 and --regressor linear or features"
    ),
    (.debiasedErrorsAreOfImages, ": leave --errors gaussian out, or use --bound wishart"),
    (
      .shrunkFitsAreNotDebiased,
      ": use --bound held-out, or --bound wishart, which is biased for shrunken fits"
    ),
    (
      .networkIsNotDebiased(.wishart),
      "no wishart bound: use --bound held-out or algorithm-1 with --regressor mlp"
    ),
  ] as [(EstimationError, String)])
func remediesAreOptions(error: EstimationError, ending: String) {
  let sentence = AdvisedError(error).description
  #expect(sentence.hasSuffix(ending), "\(sentence)")
  // The library's own sentence knows no command line.
  #expect(!error.description.contains("--"), "\(error)")
  #expect(error.description.hasPrefix(error.finding) && error.description != error.finding)
}

@Test func onlyOptionsOfTheCommandAreNamed() {
  let error = EstimationError.dependentChannel(source: "a", cell: cell, channel: 0, context: "b")
  #expect(
    AdvisedError(error, options: ["--jitter"]).description.hasSuffix("infinity; add --jitter"))
  #expect(AdvisedError(error, options: []).description == error.finding)
}

@Test("Too many images are answered with the limit that fits, and with what else the command takes")
func tooManyImages() throws {
  let lack = InsufficientMemory(
    subject: "codes of 1000000 images", needed: 2.304e9,
    available: AvailableMemory(bytes: 1e9, limit: .machine))
  func sentence(_ fitting: Int, otherwise: String = "") -> String? {
    let error = #expect(throws: AdvisedError.self) {
      try AdvisedError.advisingFewerImages(otherwise: otherwise) {
        throw TokenDataError.tooLittleMemory("a.h5", lack, fittingImages: fitting)
      }
    }
    return error?.description
  }
  let finding = "a.h5: codes of 1000000 images take 2.30 GB of memory, and 1.00 GB are free"
  #expect(sentence(347_222) == finding + "; --limit 347222 or less fits")
  #expect(sentence(3, otherwise: ", or wait") == finding + "; --limit 3 or less fits, or wait")
  #expect(sentence(0, otherwise: ", or wait") == finding)
}
