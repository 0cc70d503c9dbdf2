import TokenData

/// The images of a run.
struct TrainingData: Sendable {
  private let codes: [UInt32]
  private let labels: [UInt32]?
  private let cellCount: Int
  private let settings: TrainingSettings
  private let nullClass: Int
  private let random: TrainingRandomness
  let training: [Int]
  let heldOut: [Int]

  init(
    tokens: TokenDataset, settings: TrainingSettings, nullClass: Int
  ) throws(TrainingError) {
    guard let codes = tokens.codes else { throw .noCodes(dataset: tokens.name) }
    self.codes = codes
    labels = tokens.labels?.values
    cellCount = tokens.grid.cellCount
    (self.settings, self.nullClass) = (settings, nullClass)
    random = TrainingRandomness(seed: settings.seed)
    (training, heldOut) = Self.split(tokens: tokens, settings: settings)
    guard !training.isEmpty else {
      throw .badSetting(
        name: "validation images", value: "\(heldOut.count)",
        expected: "fewer than the \(tokens.imageCount) images of \(tokens.name)")
    }
  }

  /// Which images are trained on and which are held out.
  static func split(
    tokens: TokenDataset, settings: TrainingSettings
  ) -> (training: [Int], heldOut: [Int]) {
    TrainingRandomness(seed: settings.seed).split(
      imageCount: tokens.imageCount, heldOut: settings.heldOutCount(of: tokens.imageCount),
      groups: tokens.imageIDs)
  }

  private func image(_ index: Int) -> TrainingImage {
    TrainingImage(
      codes: codes[index * cellCount..<(index + 1) * cellCount],
      label: labels.map { Int($0[index]) } ?? 0)
  }

  /// The images held out, with their labels.
  var validation: [TrainingImage] { heldOut.map(image) }

  /// The images of a step's batch, some without their label. Epochs follow one another, each in an order of its own.
  func batch(step: Int) -> [TrainingImage] {
    let size = settings.batchSize
    let count = training.count
    let dropped = random.droppedLabels(
      step: step, count: size, probability: settings.labelDropout)
    var epoch = -1
    var order: [Int] = []
    return (0..<size).map { place in
      let number = step * size + place
      if number / count != epoch {
        epoch = number / count
        order = random.permutation(epoch: epoch, count: count)
      }
      let image = image(training[order[number % count]])
      return dropped[place]
        ? TrainingImage(codes: image.codes, label: nullClass) : image
    }
  }
}
