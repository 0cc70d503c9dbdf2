import Files
import Foundation
import TestSupport
import Testing
import TokenData

@testable import FileFormats

struct TorchCheckpointTests {
  /// {"model": OrderedDict(a: 2 x 3, b: its transpose, h: halves), "steps": 7, "list": [1]}
  private func example() throws -> [UInt8] {
    var pickle = PickleBuilder()
    pickle.code("}q\u{0}(")
    pickle.text("model")
    pickle.global("collections", "OrderedDict")
    pickle.code(")Rq\u{1}(")
    pickle.text("a")
    pickle.tensor(key: "0", count: 7, offset: 1, shape: [2, 3], strides: [3, 1])
    pickle.text("b")
    pickle.tensor(key: "0", count: 7, offset: 1, shape: [3, 2], strides: [1, 3])
    pickle.text("h")
    pickle.tensor(key: "1", count: 2, shape: [2], strides: [1], type: "HalfStorage")
    pickle.code("u}")
    pickle.text("_metadata")
    pickle.code("Nsb")
    pickle.text("steps")
    pickle.integer(7)
    pickle.text("list")
    pickle.code("](")
    pickle.integer(1)
    pickle.code("eu.")
    return try torchArchive(
      pickle, ["0": littleEndian([9, 1, 2, 3, 4, 5, 6]), "1": [0x00, 0x3e, 0x00, 0xc0]])
  }

  private func checkpoint(
    _ storages: [String: [UInt8]] = ["0": littleEndian([1, 2])],
    _ build: (inout PickleBuilder) -> Void
  ) throws -> TorchCheckpoint {
    var pickle = PickleBuilder()
    build(&pickle)
    return try TorchCheckpoint(bytes: torchArchive(pickle, storages), name: "f.pt")
  }

  @Test func tensorsAreReadThroughTheirStrides() throws {
    let checkpoint = try TorchCheckpoint(bytes: example(), name: "f")
    #expect(checkpoint.tensorNames == ["model.a", "model.b", "model.h"])
    #expect(checkpoint.shape(of: "model.b") == [3, 2] && checkpoint.shape(of: "c") == nil)
    #expect(try checkpoint.floats("model.a") == [1, 2, 3, 4, 5, 6])
    #expect(try checkpoint.floats("model.b") == [1, 4, 2, 5, 3, 6])
    #expect(try checkpoint.floats("model.h") == [1.5, -2])
    #expect(throws: TorchError.missingTensor(file: "f", tensor: "c")) {
      try checkpoint.floats("c")
    }
  }

  @Test(arguments: [
    ("os", "system"), ("builtins", "eval"), ("argparse", "Namespace"), ("torch", "load"),
    ("torch._utils", "_rebuild_tensor"), ("numpy.core.multiarray", "_reconstruct"),
  ])
  func otherObjectsAreRefused(module: String, name: String) {
    #expect(throws: TorchError.forbidden(file: "f.pt", name: "\(module).\(name)")) {
      try checkpoint {
        $0.global(module, name)
        $0.text("rm -rf /")
        $0.code(0x85)
        $0.code("R.")
      }
    }
  }

  @Test func tensorsStayInsideTheirStorages() throws {
    func refusal(_ shape: [Int], _ strides: [Int], offset: Int = 0) {
      #expect(throws: TorchError.self, "\(shape) \(strides)") {
        try checkpoint {
          $0.code("}")
          $0.text("a")
          $0.tensor(key: "0", count: 2, offset: offset, shape: shape, strides: strides)
          $0.code("s.")
        }.floats("a")
      }
    }
    refusal([3], [1])
    refusal([2], [1], offset: 1)
    refusal([2], [-1])
    refusal([1 << 30, 1 << 30, 1 << 30], [0, 0, 0])
    refusal([2, 2], [1])
    // A storage with fewer bytes than it says.
    let short = try checkpoint {
      $0.code("}")
      $0.text("a")
      $0.tensor(key: "0", count: 1 << 29, shape: [1 << 29], strides: [1])
      $0.code("s.")
    }
    #expect(throws: TorchError.shortStorage(file: "f.pt", tensor: "a", found: 8, expected: 1 << 31))
    { try short.floats("a") }
    let integers = try checkpoint {
      $0.code("}")
      $0.text("a")
      $0.tensor(key: "0", count: 1, shape: [1], strides: [1], type: "LongStorage")
      $0.code("s.")
    }
    #expect(throws: TorchError.wrongType(file: "f.pt", tensor: "a", type: "LongStorage")) {
      try integers.floats("a")
    }
  }

  /// What is no tensor is passed over, whatever it is, and the tensors beside it are read: a namespace with its state, a
  /// numpy scalar, a number of 128 bits, bytes, a set, an unknown storage.
  @Test func whatIsNoTensorIsPassedOver() throws {
    let checkpoint = try checkpoint {
      $0.code("}(")
      $0.text("args")
      $0.global("argparse", "Namespace")
      $0.code(")")
      $0.code(0x81)
      $0.code("}")
      $0.text("lr")
      $0.integer(1)
      $0.code("sb")
      $0.text("scalar")
      $0.global("numpy.core.multiarray", "scalar")
      $0.code("C\u{2}ab")
      $0.code(0x85)
      $0.code("R")
      $0.text("state")
      $0.code(0x8a)
      $0.code(17)
      for byte in 0..<17 { $0.code(UInt8(byte)) }
      $0.text("set")
      $0.code(0x8f)
      $0.code("(")
      $0.integer(1)
      $0.code(0x90)
      $0.text("complex")
      $0.tensor(key: "7", count: 2, shape: [2], strides: [1], type: "ComplexFloatStorage")
      $0.text("outside")
      $0.tensor(key: "0", count: 2, shape: [9], strides: [1])
      $0.text("repeated")
      $0.tensor(key: "0", count: 2, shape: [3, 2], strides: [0, 1])
      $0.text("weight")
      $0.tensor(key: "0", count: 2, shape: [2], strides: [1])
      $0.code("u.")
    }
    #expect(try checkpoint.floats("weight") == [1, 2])
    #expect(try checkpoint.floats("repeated") == [1, 2, 1, 2, 1, 2])
    #expect(throws: TorchError.self) { try checkpoint.floats("outside") }
    #expect(
      throws: TorchError.wrongType(file: "f.pt", tensor: "complex", type: "ComplexFloatStorage")
    ) { try checkpoint.floats("complex") }
  }

  @Test func aTensorThatIsAloneHasNoName() throws {
    let checkpoint = try checkpoint {
      $0.tensor(key: "0", count: 2, shape: [2, 1], strides: [1, 1])
      $0.code(".")
    }
    #expect(checkpoint.tensorNames == [""])
    let codebook = try CodebookFile.read(from: checkpoint)
    #expect(codebook.rows == 2 && codebook.elements == [1, 2])
  }

  /// Long names in dictionaries inside each other: joined they would take gigabytes.
  @Test func namesOfNestedDictionariesStayShort() throws {
    let long = String(repeating: "n", count: 60_000)
    let start = ContinuousClock.now
    _ = try? checkpoint {
      $0.code("}")
      for _ in 0..<3000 {
        $0.text(long.prefix(20_000).description)
        $0.code("}")
      }
      $0.text("a")
      $0.tensor(key: "0", count: 2, shape: [2], strides: [1])
      for _ in 0...3000 { $0.code("s") }
      $0.code(".")
    }
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  @Test func onlyThePartOfAStorageThatIsNeededIsKept() throws {
    let checkpoint = try checkpoint(["0": littleEndian((0..<5000).map { Float($0) })]) {
      $0.code("}")
      $0.text("a")
      $0.tensor(key: "0", count: 5000, offset: 4000, shape: [2, 2], strides: [1, 500])
      $0.code("s.")
    }
    #expect(try checkpoint.floats("a") == [4000, 4500, 4001, 4501])
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    ("<!DOCTYPE html><html></html>", "web page"), ("", "empty"),
  ])
  func whatADownloadLeftIsNamed(text: String, problem: String) throws {
    let folder = try TemporaryFolder()
    for name in ["a.pt", "a.safetensors", "a.npy", "a.h5"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
      for read in [
        { _ = try TensorFile.open($0) }, { _ = try CodebookFile.read($0) },
        { _ = try NpyArray(path: $0) }, { _ = try TokenDataset(contentsOf: $0) },
      ] as [(String) throws -> Void] {
        let error = #expect(throws: FileError.self, "\(name)") { try read(folder.file(name)) }
        #expect(error?.description.contains(problem) == true)
      }
    }
  }

  @Test func theKindOfAFileIsToldByItsContent() throws {
    let folder = try TemporaryFolder()
    let bytes = try example()
    for name in ["a.pt", "a.PT", "a.safetensors", "weights"] {
      try Data(bytes).write(to: URL(fileURLWithPath: folder.file(name)))
      #expect(try TensorFile.open(folder.file(name)).floats("model.a") == [1, 2, 3, 4, 5, 6])
    }
    try Data(bytes.prefix(bytes.count / 2)).write(to: URL(fileURLWithPath: folder.file("half.pt")))
    #expect(throws: TorchError.cutShort(file: folder.file("half.pt"))) {
      try TensorFile.open(folder.file("half.pt"))
    }
  }

  @Test func malformedPicklesAreRefused() {
    for program in [
      "", "}", "u.", "R.", "}s.", "a.", "N.", "q.", "h\u{7}.", "t.", "Q.", "X.", "?.",
    ] {
      #expect(throws: TorchError.self, "\(program)") { try checkpoint { $0.code(program) } }
    }
    #expect(throws: TorchError.self) { try TorchCheckpoint(bytes: [1, 2, 3], name: "f") }
  }

  @Test func depthAndCyclesAreHarmless() throws {
    // A dictionary that holds itself, and a million tuples inside each other.
    let checkpoint = try checkpoint {
      $0.code("}q\u{0}")
      $0.text("self")
      $0.code("h\u{0}s")
      $0.text("deep")
      $0.code(")")
      for _ in 0..<1_000_000 { $0.code(0x85) }
      $0.code("s.")
    }
    #expect(checkpoint.tensorNames.isEmpty)
  }

  @Test func mutatedCheckpointsAreReadOrRefused() throws {
    // Most mutations of an archive are caught by its checksums: those of the pickle itself tell
    // more.
    let original = try example()
    try readMutations(
      of: original, rounds: 30_000, structured: original.count, refusal: ArchiveRefusal.self
    ) { bytes in
      try ArchiveRefusal.translating {
        let checkpoint = try TorchCheckpoint(bytes: bytes, name: "f")
        for name in checkpoint.tensorNames { _ = try checkpoint.floats(name) }
      }
    }
    let pickle = try ZipArchive(bytes: original, name: "f").read("archive/data.pkl")
    try readMutations(
      of: pickle, rounds: 70_000, structured: pickle.count, refusal: TorchError.self
    ) { _ = try TorchPickle($0, file: "f") }
  }

  @Test(.enabled(if: Python.hasTorch, "python3 with torch is not installed"))
  func whatTorchWritesIsRead() throws {
    let folder = try TemporaryFolder()
    try Python.run(
      """
      import collections, torch
      a = torch.arange(12.0).reshape(3, 4)
      model = torch.nn.Linear(2, 2)
      with torch.no_grad():
          model.weight[:] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
      tensors = {"a": a, "t": a.t(), "row": a[1], "half": a.half(), "bf16": a.bfloat16(),
                 "double": a.double(), "long": a.long(), "empty": torch.zeros(0, 3),
                 "scalar": torch.tensor(2.5), "parameter": torch.nn.Parameter(a)}
      torch.save({"model": model.state_dict(), "x": tensors, "steps": 3, "lr": 1e-3, "names": ["a"]},
                 "\(folder.path)/a.pt")
      torch.save({"args": collections.Counter()}, "\(folder.path)/bad.pt")
      torch.save(tensors, "\(folder.path)/old.pt", _use_new_zipfile_serialization=False)
      """)
    let checkpoint = try TorchCheckpoint(path: folder.file("a.pt"))
    let values = (0..<12).map { Float($0) }
    for name in ["a", "half", "bf16", "double", "parameter"] {
      #expect(try checkpoint.floats("x." + name) == values, "\(name)")
      #expect(checkpoint.shape(of: "x." + name) == [3, 4])
    }
    #expect(try checkpoint.floats("x.t") == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    #expect(try checkpoint.floats("x.row") == [4, 5, 6, 7])
    #expect(try checkpoint.floats("x.scalar") == [2.5] && checkpoint.shape(of: "x.scalar") == [])
    #expect(try checkpoint.floats("x.empty") == [])
    #expect(try checkpoint.floats("model.weight") == [1, 2, 3, 4])
    let bad = folder.file("bad.pt")
    #expect(throws: TorchError.forbidden(file: bad, name: "collections.Counter")) {
      try TorchCheckpoint(path: bad)
    }
    #expect(throws: TorchError.self) { try TorchCheckpoint(path: folder.file("old.pt")) }
  }
}
