import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import PARTransformer
import Statistics
import Testing
import TokenData
import TokenGrids
import VisualTokenizers

private let program = Program(name: "par-sample")

private struct Output: Decodable {
  struct Sample: Decodable {
    let codes: [[Int]]
    let label: Int

    enum CodingKeys: String, CodingKey {
      case codes
      case label = "class"
    }
  }
  struct Provenance: Decodable {
    let command_line: String
    let seed: UInt64
  }
  let command, order: String
  let tokens_per_step, steps: Int
  let grid: [Int]
  let samples: [Sample]
  let provenance: Provenance
}

/// The codes of the one video of a result, frame by frame.
private func videoCodes(_ result: Program.Result) throws -> [Int] {
  struct Videos: Decodable {
    struct Sample: Decodable {
      let codes: [[[Int]]]
    }
    let samples: [Sample]
  }
  #expect(result.status == 0, "\(result.errors)")
  let videos = try JSONDecoder().decode(Videos.self, from: Data(result.output.utf8))
  return videos.samples.flatMap { $0.codes.flatMap { $0.flatMap(\.self) } }
}

private func decode(_ result: Program.Result) throws -> Output {
  #expect(result.status == 0, "\(result.errors)")
  return try JSONDecoder().decode(Output.self, from: Data(result.output.utf8))
}

private let configuration = PARConfiguration(
  layers: 1, heads: 2, width: 16, hiddenWidth: 24, codes: 64, classes: 3, tokensPerStep: 4)

private typealias Tensor = (name: String, shape: [Int], elements: [Float])

/// Writes a small model and a dataset with its codebook and a decoder into a folder for the time of `body`.
private func withModel<Result>(
  metadata: [String: String] = ["heads": "2", "grid": "6x6"],
  changing change: (inout [Tensor]) -> Void = { _ in },
  _ body: (_ model: String, _ codebook: String) throws -> Result
) throws -> Result {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  var generator = SeededGenerator(seed: 7)
  var tensors: [Tensor] = configuration.parameters.map { parameter in
    let shape = parameter.shape(in: configuration)
    return (
      parameter.name, shape,
      (0..<shape.reduce(1, *)).map { _ in Float(generator.nextUniform() - 0.5) }
    )
  }
  change(&tensors)
  let model = folder.appendingPathComponent("model.safetensors").path
  try SafetensorsWriter.write(
    tensors.map { SafetensorsTensor(name: $0.name, shape: $0.shape, elements: $0.elements) },
    metadata: metadata, to: model)
  let plain = try smallDataset(images: 4)
  let codebook = folder.appendingPathComponent("codebook.h5").path
  try TokenDataset(
    name: "codebook.h5", grid: plain.grid, tokens: plain.tokens,
    labels: TokenLabels(values: [0, 1, 2, 0], names: ["sky", "sea", "sand"]),
    decoder: TokenDecoderParameters(
      kind: "patch-pca",
      arrays: [
        "mean": .init(shape: [2, 2, 3], values: Array(repeating: 128, count: 12)),
        "basis": .init(shape: [2, 2, 2, 3], values: (0..<24).map { Float($0) }),
      ])
  ).write(to: codebook)
  return try body(model, codebook)
}

@Test func samplesEqualThoseOfTheLibrary() throws {
  try withModel { model, _ in
    let output = try decode(
      program.run([
        "--model", model, "--classes", "2,0", "--count", "3", "--guidance", "1.5", "--seed", "9",
        "--top-k", "20", "--json",
      ]))
    #expect(output.command == "par-sample" && output.order == "distant" && output.grid == [6, 6])
    #expect(output.tokens_per_step == 4 && output.steps == 4 + 32 / 4)
    #expect(output.provenance.seed == 9)
    #expect(output.samples.map(\.label) == [2, 0, 2])
    let sequence = try PARSequence(
      order: OrderSpecification("distant").order(
        on: TokenGrid(rows: 6, columns: 6), tokensPerStep: 4), tokensPerStep: 4)
    let expected = try PARSampler(
      weights: PARWeights(checkpoint: SafetensorsCheckpoint(path: model)), sequence: sequence,
      options: SamplingOptions(guidance: 1.5, filter: TokenFilter(topK: 20), seed: 9),
      team: WorkerTeam(workers: 1)
    ).generate(labels: [2, 0, 2])
    #expect(output.samples.map { $0.codes.flatMap(\.self) } == expected)
  }
}

@Test func optionsChangeWhatIsDrawn() throws {
  try withModel { model, _ in
    func codes(_ more: String...) throws -> [[[Int]]] {
      try decode(program.run(["--model", model, "--count", "2", "--json"] + more)).samples
        .map(\.codes)
    }
    let plain = try codes()
    #expect(plain[0] != plain[1])
    #expect(try codes("--batch", "1", "--threads", "1") == plain)
    #expect(try codes("--seed", "1") != plain)
    #expect(try codes("--order", "raster") != plain)
    #expect(try codes("--attention", "causal") != plain)
    #expect(try codes("--temperature", "0.1") != plain)
    #expect(try codes("--top-p", "0.2") != plain)
    let guided = try codes("--guidance", "4")
    #expect(guided != plain)
    #expect(try codes("--guidance", "4", "--guidance-schedule", "constant") == guided)
    #expect(try codes("--guidance", "4", "--guidance-schedule", "linear") != guided)
    #expect(try codes("--guidance", "4", "--guidance-interval", "99:99") == plain)
    let greedy = try codes("--greedy")
    #expect(greedy[0] == greedy[1] && greedy != plain)
    #expect(try codes("--top-k", "1") == greedy)
    let wide = try codes("--grid", "4x8")
    #expect(wide[0].count == 4 && wide[0].allSatisfy { $0.count == 8 })
  }
}

@Test func classesHaveNumbersRangesAndNames() throws {
  try withModel { model, codebook in
    func labels(_ classes: String) throws -> Program.Result {
      try program.run([
        "--model", model, "--classes", classes, "--codebook", codebook, "-o", "s.h5", "--json",
      ])
    }
    #expect(try decode(labels("Sea,0-2,1")).samples.map(\.label) == [1, 0, 1, 2, 1])
    let unknown = try labels("sea,lake")
    #expect(unknown.status == 64 && unknown.errors.contains("or names such as sky, sea, sand"))
    #expect(unknown.files.isEmpty)
  }
}

@Test func samplesBecomeADatasetAndImages() throws {
  try withModel { model, codebook in
    let arguments = ["--model", model, "--classes", "1,2", "--seed", "3"]
    let codes = try decode(program.run(arguments + ["--json"])).samples.map {
      $0.codes.flatMap(\.self)
    }
    let result = try program.run(
      arguments + [
        "--codebook", codebook, "-o", "samples.h5", "--images", "new/pictures", "--npz", "all.npz",
      ],
      inspecting: { folder in
        let file = try TokenDatasetFile(path: folder.appendingPathComponent("samples.h5").path)
        #expect(file.imageCount == 2 && file.grid == TokenGrid(rows: 6, columns: 6))
        #expect(try file.codes(ofImages: 0..<2).map { Int($0) } == codes.flatMap(\.self))
        #expect(file.labels?.values == [1, 2] && file.labels?.names == ["sky", "sea", "sand"])
        #expect(file.attributes.source.contains("par-sample"))
        let original = try TokenDatasetFile(path: codebook)
        #expect(file.codebook == original.codebook && file.decoder == original.decoder)
        // A picture is what the decoder makes of the dataset's tokens.
        let decoder = try TokenImages(of: file)
        for (index, name) in ["0000-class-1.png", "0001-class-2.png"].enumerated() {
          let path = folder.appendingPathComponent("new/pictures/\(name)").path
          let picture = try RGBImage(contentsOf: path)
          #expect(picture.width == 12 && picture.height == 12)
          #expect(try picture == decoder.image(index))
        }
        let names = try FileManager.default.contentsOfDirectory(
          atPath: folder.appendingPathComponent("new/pictures").path)
        #expect(names.count == 2)
        let archive = folder.appendingPathComponent("all.npz").path
        var found: [RGBImage] = []
        try ImageSet(archive: archive).forEachRun { found += $1 }
        #expect(found == (try (0..<2).map { try decoder.image($0) }))
        #expect(try NpzArchive(path: archive).array("arr_1").integers() == [1, 2])
      })
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    #expect(result.files == ["all.npz", "new", "samples.h5"])
    #expect(result.output.contains("wrote samples.h5") && result.output.contains("2 PNG files"))
    #expect(result.output.contains("12 forward passes"))
  }
}

@Test func aVQTokenizerShowsItsCodes() throws {
  try withModel { model, _ in
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let tokenizer = folder.appendingPathComponent("vq.safetensors").path
    try writeVQCheckpoint(to: tokenizer, codes: 64)
    // Two frames of 2×4 tokens; a token is one pixel.
    let arguments = ["--model", model, "--grid", "2x2x4", "--order", "raster"]
    let codes = try videoCodes(program.run(arguments + ["--json"]))
    let result = try program.run(
      arguments + ["--codebook", tokenizer, "--images", "."],
      inspecting: { folder in
        let strip = try RGBImage(
          contentsOf: folder.appendingPathComponent("0000-class-0.png").path)
        #expect(strip.width == 8 && strip.height == 2)
        let decoder = try VQDecoder(TensorFile.open(tokenizer))
        var expected = RGBImage(width: 8, height: 2)
        for frame in 0..<2 {
          let picture = try decoder.decode(
            codes[frame * 8..<(frame + 1) * 8].map { UInt32($0) }, rows: 2, columns: 4)
          expected.draw(picture, left: 4 * frame, top: 0)
        }
        #expect(strip == expected)
      })
    #expect(result.status == 0 && result.files == ["0000-class-0.png"], "\(result.errors)")
    let array = try program.run(arguments + ["--codebook", tokenizer, "--npz", "x.npz"])
    #expect(array.status == 64 && array.files.isEmpty)
    #expect(array.errors.contains("--npz is for images, and 2x2x4 tokens are those of videos"))
  }
}

@Test func randomWeightsAreForTiming() throws {
  // The smallest preset is too large for every test run; its refusals are not.
  let result = try program.run(["--preset", "B"])
  #expect(result.status == 64 && result.errors.contains("--random-weights"))
}

@Test(arguments: [
  ([], "--model, or --preset with --random-weights, is needed"),
  (["--model", "m", "--preset", "L"], "exclude each other"),
  (["--model", "m", "--random-weights"], "--random-weights is for --preset"),
  (["--preset", "L", "--random-weights", "--heads", "4"], "--heads is for --model"),
  (["--model", "m", "--tokens-per-step", "0"], "--tokens-per-step 0: at least 1 is needed"),
  (["--model", "m", "--count", "0"], "--count 0: expected 1 to 10000000"),
  (["--model", "m", "--threads", "0"], "--threads 0: 1 to 256 are possible"),
  (["--model", "m", "--classes", "3,-1"], "--classes 3,-1: expected numbers from 0"),
  (["--model", "m", "--classes", ""], "expected numbers from 0"),
  (["--model", "m", "--grid", "6by6"], "--grid 6by6: expected HxW or TxHxW"),
  (["--model", "m", "--grid", "0x6"], "--grid 0x6: expected HxW or TxHxW"),
  (["--model", "m", "--guidance", "nan"], "guidance is nan"),
  (["--model", "m", "--temperature=-1"], "temperature is -1.0"),
  (["--model", "m", "--top-k=-1"], "top-k is -1"),
  (["--model", "m", "--top-p", "0"], "top-p is 0.0"),
  (["--model", "m", "--batch", "0"], "batch size is 0"),
  (["--model", "m", "--greedy", "--top-k", "5"], "--greedy leaves nothing"),
  (["--model", "m", "--guidance-interval", "1:2"], "--guidance-interval needs --guidance"),
  (["--model", "m", "--guidance-schedule", "linear"], "--guidance-schedule needs --guidance"),
  (
    ["--model", "m", "--guidance", "2", "--guidance-interval", "5:2"],
    "--guidance-interval 5:2: expected first:last"
  ),
  (["--model", "m", "--output", "o.h5"], "--output needs --codebook"),
  (["--model", "m", "--images", "o"], "--images needs --codebook"),
  (["--model", "m", "--npz", "o.npz"], "--npz needs --codebook"),
  (["--model", "m", "--codebook", "c.h5"], "--codebook is for --output, --images and --npz"),
  (
    [
      "--model", "m", "--codebook", "c.h5", "--tokens", "t.h5", "--order",
      "raster:schedule=optimal,steps=4",
    ],
    "and for arrays of --tokens"
  ),
  (["--model", "m", "--attention", "sideways"], "attention"),
  (["--model", "m", "--preset", "XS"], "preset"),
  (["--model", "m", "--precision", "f64"], "precision"),
  (["--model", "m", "--surplus"], "--surplus"),
])
func impossibleOptionsAreRefused(arguments: [String], message: String) throws {
  let result = try program.run(arguments)
  #expect(result.status == 64 && result.output.isEmpty && result.files.isEmpty)
  #expect(result.errors.contains(message), "\(result.errors)")
}

@Test(arguments: [
  (["--classes", "3,x"], "--classes 3,x: expected numbers from 0"),
  (["--classes", "3"], "class 3 is out of range: the model has the classes 0 to 2"),
  (["--tokens-per-step", "2"], "2 tokens per step were asked for"),
  (["--grid", "5x5"], "5 rows are not divisible into 2 regions"),
  (["--heads", "4"], "4 heads were asked for, but the model says that it has 2"),
  (["--order", "distnat"], "distant"),
  (["--order", "missing.txt"], "missing.txt"),
  (["--order", "distant:initial=2"], "initial = 2 is neither 0"),
  (["--order", "distant:n=9"], "a model with 4 tokens per step generates"),
  (["--codebook", "missing.h5", "--output", "o.h5"], "missing.h5"),
])
func whatDoesNotFitTheModelIsNamed(arguments: [String], message: String) throws {
  try withModel { model, _ in
    let result = try program.run(["--model", model] + arguments)
    #expect(result.status != 0 && result.output.isEmpty && result.files.isEmpty)
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}

@Test func faultyModelsAreNamed() throws {
  func errors(
    metadata: [String: String] = ["heads": "2"], _ change: (inout [Tensor]) -> Void
  ) throws -> String {
    try withModel(metadata: metadata, changing: change) { model, _ in
      let result = try program.run(["--model", model, "--grid", "6x6"])
      #expect(result.status == 1 && result.output.isEmpty && result.files.isEmpty)
      return result.errors
    }
  }
  #expect(try errors { $0.removeLast() }.contains("there is no tensor output.weight"))
  #expect(try errors { $0.append(("extra", [1], [0])) }.contains("unexpected tensor extra"))
  #expect(try errors(metadata: [:]) { _ in }.contains("give it with --heads"))
  #expect(
    try errors { tensors in
      let last = tensors.count - 1
      tensors[last] = ("output.weight", [64, 15], Array(repeating: 0, count: 64 * 15))
    }.contains("output.weight"))
  #expect(
    try errors { tensors in
      let last = tensors.count - 1
      tensors[last].elements = tensors[last].elements.map { _ in .infinity }
    }.contains("not a finite number"))
}

@Test func damagedFilesAreNamed() throws {
  try withModel { model, codebook in
    let whole = try Data(contentsOf: URL(fileURLWithPath: model))
    let headerStart = 8
    var badHeader = whole
    badHeader[headerStart] = UInt8(ascii: "[")
    var badLength = whole
    badLength[7] = 0x7f
    for (name, data) in [
      ("truncated", whole.prefix(whole.count - 10)), ("short", whole.prefix(5)),
      ("empty", Data()), ("header", badHeader), ("length", badLength),
    ] {
      let path = URL(fileURLWithPath: model).deletingLastPathComponent()
        .appendingPathComponent("\(name).safetensors").path
      try data.write(to: URL(fileURLWithPath: path))
      let result = try program.run(["--model", path])
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(result.errors.contains("\(name).safetensors: "), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
  }
}

/// What training programs wrap models in, and a codebook that is alone in its file.
@Test func wrappedModelsAndBareCodebooksAreRead() throws {
  let plain = try withModel { model, _ in
    try decode(program.run(["--model", model, "--json"])).samples.map(\.codes)
  }
  for prefix in ["_orig_mod.", "model_state_dict.", "model_state_dict._orig_mod."] {
    let wrapped = try withModel(changing: { tensors in
      for i in tensors.indices { tensors[i].name = prefix + tensors[i].name }
    }) { model, _ in
      try decode(program.run(["--model", model, "--json"])).samples.map(\.codes)
    }
    #expect(wrapped == plain, "\(prefix)")
  }
  try withModel { model, _ in
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let codebook = folder.appendingPathComponent("codebook.safetensors").path
    let elements = (0..<2 * 64).map { Float($0 + 1) }
    try SafetensorsWriter.write(
      [SafetensorsTensor(name: "weight", shape: [64, 2], elements: elements)], to: codebook)
    let result = try program.run(
      ["--model", model, "--codebook", codebook, "-o", "s.h5"],
      inspecting: { folder in
        let file = try TokenDatasetFile(path: folder.appendingPathComponent("s.h5").path)
        // As it is, and of a tokenizer that nobody knows.
        #expect(file.codebook?.elements == elements && file.attributes.tokenizer.isEmpty)
      })
    #expect(result.status == 0, "\(result.errors)")
    let images = try program.run(["--model", model, "--codebook", codebook, "--images", "p"])
    #expect(images.status == 1 && images.files.isEmpty)
    #expect(images.errors.contains("holds a codebook only"), "\(images.errors)")
  }
}

@Test func codebooksThatDoNotServeAreNamed() throws {
  try withModel { model, codebook in
    func run(_ more: String...) throws -> Program.Result {
      try program.run(["--model", model] + more)
    }
    let plain = try withFile(smallDataset(images: 2), named: "plain.h5") {
      try run("--codebook", $0, "--images", "pictures")
    }
    #expect(plain.status == 1 && plain.files.isEmpty)
    #expect(plain.errors.contains("plain.h5: has no /decoder"), "\(plain.errors)")

    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let tokenizer = folder.appendingPathComponent("vq.safetensors").path
    func writeTokenizer(codes: Int) throws {
      try SafetensorsWriter.write(
        [
          SafetensorsTensor(
            name: "quantize.embedding.weight", shape: [codes, 2],
            elements: (0..<2 * codes).map { Float($0 + 1) })
        ], to: tokenizer)
    }
    try writeTokenizer(codes: 64)
    let images = try run("--codebook", tokenizer, "--images", "pictures")
    #expect(images.status == 1 && images.files.isEmpty)
    #expect(images.errors.contains("decoder.conv_in.weight"), "\(images.errors)")
    let dataset = try program.run(
      ["--model", model, "--codebook", tokenizer, "-o", "s.h5"],
      inspecting: { folder in
        let file = try TokenDatasetFile(path: folder.appendingPathComponent("s.h5").path)
        let first = try #require(file.codebook?.elements.prefix(2))
        // The first entry is (1, 2), scaled to length 1.
        #expect(abs(first[0] - 1 / Float(5).squareRoot()) < 1e-6)
        #expect(file.attributes.tokenizer == "VQ-16")
      })
    #expect(dataset.status == 0, "\(dataset.errors)")
    try writeTokenizer(codes: 63)
    let other = try run("--codebook", tokenizer, "-o", "s.h5")
    #expect(
      other.status == 1
        && other.errors.contains("vq.safetensors: the codebook has 63 entries; the model has 64"))
  }
}

@Test func placesThatCannotBeWrittenAreFoundBeforehand() throws {
  try withModel { model, codebook in
    let output = try program.run([
      "--model", model, "--codebook", codebook, "-o", "missing/samples.h5",
    ])
    #expect(output.status == 1 && output.output.isEmpty && output.files.isEmpty)
    #expect(output.errors.contains("missing/samples.h5"), "\(output.errors)")
    let images = try program.run([
      "--model", model, "--codebook", codebook, "--images", "\(codebook)/pictures",
    ])
    #expect(images.status == 1 && images.output.isEmpty && images.files.isEmpty)
    #expect(images.errors.contains("codebook.h5/pictures"), "\(images.errors)")
  }
}
