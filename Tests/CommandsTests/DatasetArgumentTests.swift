import EmbeddedData
import Files
import Foundation
import Testing
import TokenData

@testable import Commands

@Suite struct DatasetArgumentTests {
  @Test func namesOfEmbeddedSetsAreFoundAnywhere() throws {
    for (text, url) in [
      ("scenes", EmbeddedData.scenes24x24), ("scenes-24x24", EmbeddedData.scenes24x24),
      ("learned", EmbeddedData.learned24x24), ("learned-24x24", EmbeddedData.learned24x24),
      ("scenes-12x12", EmbeddedData.scenes12x12), ("learned-12x12", EmbeddedData.learned12x12),
    ] {
      let argument = DatasetArgument(argument: text)
      #expect(try argument.path == url.path)
      #expect(argument.displayName == url.lastPathComponent)
    }
  }

  @Test func pathsAreTakenAsTheyAre() throws {
    try withFile(smallDataset(images: 5)) { path in
      let argument = DatasetArgument(argument: path)
      let (found, all) = (try argument.path, try argument.load())
      let (some, opened) = (try argument.load(sampling: 3, seed: 1), try argument.open())
      #expect(found == path && argument.displayName == path)
      #expect(all.imageCount == 5 && some.imageCount == 3 && opened.imageCount == 5)
    }
  }

  /// A bare word may be a misspelt name, so the names are listed; a path with folders is none.
  @Test func unknownWordsAreToldTheNames() {
    for text in ["lerned", "scenes-24x24.h5", "Scenes", ""] {
      #expect(throws: UnknownDataset(text: text)) { try DatasetArgument(argument: text).load() }
    }
    #expect(
      "\(UnknownDataset(text: "lerned"))"
        == "lerned: there is no such file; the embedded datasets are scenes, learned, scenes-12x12 and learned-12x12"
    )
    #expect(throws: FileError.missing("./learned")) {
      try DatasetArgument(argument: "./learned").load()
    }
  }

  /// `scenes` is the embedded set even beside a file of that name, which is `./scenes`.
  @Test func namesAreReserved() throws {
    let program = Program(name: "tokenize")
    try withFile(smallDataset(images: 5), named: "scenes") { path in
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      for (text, first, count) in [
        ("scenes-12x12", "scenes-12x12.h5", "10,000"), ("./scenes", "./scenes", "5"),
      ] {
        let result = try program.run(["info", text], in: folder)
        #expect(result.status == 0 && result.output.hasPrefix(first + "\n"))
        #expect(result.output.contains("images      \(count)\n"))
      }
      #expect(try DatasetArgument(argument: "scenes").load(sampling: 2).name == "scenes-24x24.h5")
    }
  }

  /// Every command that takes a dataset takes the names and lists them where a word is none.
  @Test(arguments: [
    ("entropy-map", ["--ref", "3,3", "--tokens", "WORD"]),
    ("order-compare", ["raster", "--tokens", "WORD"]),
    ("appendix-figures", ["--tokens", "WORD"]),
    ("par-train", ["WORD", "--output-dir", "run"]),
    ("par-train", ["likelihood", "model.safetensors", "WORD"]),
    ("fid-compare", ["raster", "--tokens", "WORD"]),
    ("fid-compare", ["proxies", "WORD", "learned-12x12"]),
    ("fid-compare", ["proxies", "learned-12x12", "WORD"]),
    ("fid-compare", ["statistics", "WORD", "--extractor", "texture", "--output", "x.npz"]),
    ("tokenize", ["info", "WORD"]),
    ("tokenize", ["decode", "WORD", "--output", "x.png"]),
    ("tokenize", ["--images", ".", "--like", "WORD", "--output", "x.h5"]),
  ])
  func everyCommandKnowsTheNames(name: String, arguments: [String]) throws {
    let program = Program(name: name)
    let unknown = try program.run(arguments.map { $0 == "WORD" ? "lerned" : $0 })
    #expect(unknown.status != 0 && unknown.output.isEmpty && unknown.files.isEmpty)
    #expect(unknown.errors.contains("\(UnknownDataset(text: "lerned"))"), "\(unknown.errors)")
  }

  @Test func codebooksOfSamplesHaveTheNamesToo() throws {
    let learned = try SampleCodebook(path: "learned-12x12", codes: 1024, isForImages: false)
    let patches = try SampleCodebook(path: "scenes-12x12", codes: 1024, isForImages: true)
    #expect(learned.hash != patches.hash)
    #expect(throws: UnknownDataset(text: "lerned")) {
      try SampleCodebook(path: "lerned", codes: 1024, isForImages: false)
    }
  }

  @Test func learnedTokensAreReadAndSayThatTheyHaveNoImages() throws {
    let program = Program(name: "tokenize")
    let info = try program.run(["info", "learned-12x12"])
    #expect(info.status == 0 && info.errors.isEmpty)
    for line in [
      "learned-12x12.h5", "  grid        12x12, 144 tokens an image", "  decoder     none",
      "  tokenizer   taef2-encoder-pca-kmeans",
    ] {
      #expect(info.output.contains(line + "\n"))
    }
    let decoded = try program.run(["decode", "learned-12x12", "--output", "x.png"])
    #expect(decoded.status != 0 && decoded.files.isEmpty && decoded.output.isEmpty)
    #expect(
      decoded.errors.contains(
        "learned-12x12.h5: has no /decoder from its tokens (made by taef2-encoder-pca-kmeans) to pixels"
      ), "\(decoded.errors)")
    let compared = try Program(name: "order-compare").run([
      "distant", "--tokens", "learned-12x12", "--limit", "1500", "--no-figure",
    ])
    #expect(compared.status == 0)
    #expect(compared.output.hasPrefix("learned-12x12.h5 · 1,500"), "\(compared.output)")
  }
}
