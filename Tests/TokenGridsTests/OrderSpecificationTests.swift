import Foundation
import TestSupport
import Testing

@testable import TokenGrids

@Suite struct OrderSpecificationTests {
  private func order(
    _ text: String, on grid: TokenGrid = paperGrid, tokensPerStep: Int = 4
  ) throws -> GenerationOrder {
    try OrderSpecification(text).order(on: grid, tokensPerStep: tokensPerStep)
  }

  @Test(arguments: [
    ("raster", 147), ("raster:n=16", 51), ("raster:initial=0", 144), ("raster:n=16,initial=0", 36),
    ("distant", 147), ("distant:n=16", 51), ("distant:initial=0", 144),
    ("distant:n=16,initial=16", 51),
    ("blocks", 147), ("blocks:n=25,initial=0", 25), ("diagonal", 47), ("window:w=8", 224),
    ("window:w=16", 400), ("random", 147), ("random:seed=4,n=16", 51), ("random:steps=88", 88),
    ("random:schedule=cosine", 144), ("random:schedule=cosine,n=16", 36),
    ("random:schedule=constant,n=16", 51), ("random:schedule=arccos,steps=7", 7), ("halton", 147),
    ("halton:n=16", 51), ("halton:steps=32", 32), ("halton:schedule=arccos,n=18", 32),
    ("halton:schedule=cosine,steps=32", 32), ("spiral", 147), ("spiral:direction=out", 147),
    ("hilbert:n=3", 194), ("zcurve:n=576,initial=0", 1), ("subsample", 147),
    ("raster: n = 16 , initial = 0", 36), ("raster:steps=24", 24),
    ("distant:steps=51", 51), ("distant:n=16,schedule=cosine,steps=24", 24),
    ("distant:schedule=arccos,n=16", 36), ("blocks:n=16,steps=20", 20), ("spiral:steps=1", 1),
    ("hilbert:schedule=cosine,steps=576", 576), ("zcurve:schedule=constant,steps=7", 7),
    ("subsample:schedule=arccos,steps=9", 9), ("random:schedule=constant,steps=10", 10),
  ])
  func stepCounts(text: String, steps: Int) throws {
    let order = try order(text)
    #expect(order.steps.count == steps)
    #expect(order.name == text)
  }

  @Test func theOwnNBeatsTheCommands() throws {
    #expect(try order("raster", tokensPerStep: 16).steps.count == 51)
    #expect(try order("raster:n=4", tokensPerStep: 16).steps.count == 147)
    #expect(try order("halton:schedule=arccos", tokensPerStep: 18).steps.count == 32)
    #expect(try OrderSpecification("raster").order(on: paperGrid).steps.count == 147)
  }

  @Test func settingsReachTheOrder() throws {
    #expect(
      try order("random:seed=7").steps
        == GenerationOrder.random(on: paperGrid, seed: 7, schedule: .runs(of: 4)).steps)
    #expect(
      try order("random:seed=18446744073709551615").steps
        == GenerationOrder.random(on: paperGrid, seed: .max).steps)
    #expect(
      try order("random:steps=9").steps
        == GenerationOrder.random(on: paperGrid, schedule: .cosine(steps: 9)).steps)
    #expect(
      try order("halton:steps=32").steps
        == GenerationOrder.halton(on: paperGrid, schedule: .arccos(steps: 32)).steps)
    #expect(
      try order("spiral:direction=out").steps
        == GenerationOrder.spiral(on: paperGrid, direction: .outward).steps)
    #expect(try order("hilbert").steps == GenerationOrder.hilbert(on: paperGrid).steps)
    #expect(try order("zcurve").steps == GenerationOrder.zCurve(on: paperGrid).steps)
    #expect(try order("subsample").steps == GenerationOrder.subsample(on: paperGrid).steps)
    #expect(try order("blocks").steps == GenerationOrder.blocks(on: paperGrid).steps)
  }

  @Test(arguments: [
    ("rastr", "there is no order 'rastr' (did you mean raster?); the orders are raster, distant, "),
    ("Raster", "there is no order 'Raster' (did you mean raster?); "),
    ("z-curve", "there is no order 'z-curve' (did you mean zcurve?); "),
    ("rand:seed=3", "there is no order 'rand' (did you mean random?); "),
    ("qqq", "there is no order 'qqq'; the orders are raster, distant, "),
    ("", "there is no order ''; the orders are "),
    (
      "raster:",
      "raster: a setting is missing after ':' or ','; its keys are n=, initial=, schedule=, steps="
    ),
    (
      "raster:n=4,",
      "raster: a setting is missing after ':' or ','; its keys are n=, initial=, schedule=, steps="
    ),
    ("raster:n", "raster: 'n' is not key=value; its keys are n=, initial=, schedule=, steps="),
    ("raster:n=", "raster: 'n=' is not key=value; its keys are n=, initial=, schedule=, steps="),
    ("raster:=4", "raster: '=4' is not key=value; its keys are n=, initial=, schedule=, steps="),
    ("raster:m=4", "raster: there is no key 'm'; its keys are n=, initial=, schedule=, steps="),
    (
      "raster:seed=4",
      "raster: there is no key 'seed'; its keys are n=, initial=, schedule=, steps="
    ),
    ("diagonal:n=4", "diagonal: there is no key 'n'; it takes no settings"),
    ("raster:n=4,n=5", "raster: n= is given twice"),
    ("raster:n=four", "raster: n=four is not a whole number from 1"),
    ("raster:n=0", "raster: n=0 is not a whole number from 1"),
    ("raster:n=4.0", "raster: n=4.0 is not a whole number from 1"),
    (
      "raster:n=99999999999999999999", "raster: n=99999999999999999999 is not a whole number from 1"
    ),
    ("raster:initial=-1", "raster: initial=-1 is not a whole number from 0"),
    ("random:seed=-1", "random: seed=-1 is not a whole number from 0"),
    (
      "random:schedule=linear",
      "random: schedule=linear is not one of constant, cosine, arccos, masked-cosine, masked-arccos, optimal"
    ),
    (
      "halton:schedule=optimal",
      "halton: steps= is missing, as in halton:schedule=optimal,steps=24"
    ),
    (
      "raster:schedule=optimal,steps=24,n=4",
      "raster: steps= and n= do not go together: the steps already say how many tokens each holds"
    ),
    (
      "raster:steps=24,initial=0",
      "raster: initial= and steps= do not go together: the constant schedule sets its own first steps"
    ),
    (
      "subsample:schedule=levels,n=4",
      "subsample: schedule= and n= do not go together: the levels say how many tokens each holds"
    ),
    (
      "raster:schedule=levels",
      "raster: schedule=levels is not one of constant, cosine, arccos, masked-cosine, masked-arccos, optimal"
    ),
    (
      "lpd:n=4",
      "lpd: there is no key 'n'; its keys are steps=, repulsion=, proximity=, seed=, seeds="
    ),
    ("lpd:proximity=near", "lpd: proximity=near is not a number from 0"),
    ("lpd:proximity=nan", "lpd: proximity=nan is not a number from 0"),
    ("lpd:repulsion=-1", "lpd: repulsion=-1 is not a whole number from 0"),
    ("random:seeds=1", "random: seeds=1 is not a whole number from 2 to 1000"),
    (
      "wavefront:b=1073741825",
      "wavefront: b=1073741825 is not a whole number from 0 to 1073741824"
    ),
    ("diagonal:steps=24", "diagonal: there is no key 'steps'; it takes no settings"),
    ("spiral:direction=up", "spiral: direction=up is not one of in, out"),
    ("window", "window: w= is missing, as in window:w=8"),
    ("window:w=0", "window: w=0 is not a whole number from 1"),
    (
      "halton:steps=32,n=4",
      "halton: steps= and n= do not go together: the steps already say how many tokens each holds"
    ),
    (
      "random:schedule=cosine,initial=4",
      "random: initial= and schedule= do not go together: the cosine schedule sets its own first steps"
    ),
    (
      "halton:steps=8,initial=0",
      "halton: initial= and steps= do not go together: the arccos schedule sets its own first steps"
    ),
  ])
  func mistakesAreNamed(text: String, message: String) {
    let error = #expect(throws: OrderSpecificationError.self) { try OrderSpecification(text) }
    let description = error?.description ?? ""
    #expect(description == message || (message.hasSuffix(" ") && description.hasPrefix(message)))
  }

  @Test func unknownOrdersListEveryFamily() {
    let error = #expect(throws: OrderSpecificationError.self) { try OrderSpecification("mine") }
    for family in OrderFamily.allCases {
      #expect(error?.description.contains(family.rawValue) == true)
    }
    #expect(error?.description.hasSuffix("as in ./mine") == true)
  }

  @Test func whatDoesNotFitTheGridCarriesTheTextAsTyped() throws {
    let specification = try OrderSpecification("distant:n=25")
    let error = #expect(throws: GenerationOrderError.self) {
      try specification.order(on: paperGrid)
    }
    #expect(
      error?.description.hasPrefix("distant:n=25: 24 rows are not divisible into 5 regions") == true
    )
    #expect(throws: GenerationOrderError.self) {
      try OrderSpecification("halton:schedule=arccos,n=577").order(on: paperGrid)
    }
    #expect(throws: GenerationOrderError.self) {
      try OrderSpecification("halton:steps=577").order(on: paperGrid)
    }
  }

  @Test(arguments: [
    "a.txt", "A.CSV", "b.json", "./mine", "/tmp/x", "folder/raster", "raster:x.txt",
  ])
  func pathsAreTold(text: String) throws {
    let specification = try OrderSpecification(text)
    #expect(specification.path == text)
    #expect(specification.family == nil)
    #expect(specification.name == text.split(separator: "/").last.map(String.init))
    #expect(specification.description == text)
  }

  @Test func aFileIsReadWhenTheGridIsKnown() throws {
    let grid = TokenGrid(rows: 2, columns: 3)
    try withTemporaryFolder { folder in
      let path = folder + "/mine.txt"
      let specification = try OrderSpecification(path)
      #expect(throws: OrderFileError.unusable(file: path, reason: "there is no such file")) {
        try specification.order(on: grid)
      }
      try Data("3 1 1\n2 2 3\n".utf8).write(to: URL(fileURLWithPath: path))
      let order = try specification.order(on: grid, tokensPerStep: 99)
      #expect(order.name == "mine.txt")
      #expect(order.steps == [[1, 2], [3, 4], [0, 5]])
    }
  }
}
