import Foundation
import LinearAlgebra
import TestSupport
import Testing
import TokenData
import TokenGrids

/// Files written and read by h5py, where Python has it.
@Suite(.enabled(if: Python.hasH5Py, "python3 with h5py is not installed"))
struct H5PyInteroperationTests {
  let folder: TemporaryFolder
  var path: String { folder.file("codes.h5") }

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["uint8", "int16", "uint32", "uint64", ">i8"])
  func readsOnlyCodesAndCodebook(type: String) throws {
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          f["codes"] = numpy.arange(24).reshape(2, 3, 4).astype("\(type)")
          f["codebook"] = numpy.arange(48, dtype="float64").reshape(24, 2) / 4
      """)
    let dataset = try TokenDataset(contentsOf: path)
    #expect(dataset.grid == TokenGrid(rows: 3, columns: 4))
    #expect(dataset.codes == (0..<24).map { UInt32($0) })
    #expect(dataset.codebook?.elements == (0..<48).map { Float($0) / 4 })
    #expect(dataset.labels == nil && dataset.decoder == nil)
    #expect(dataset.attributes == TokenAttributes())
  }

  @Test func readsVideoInCompressedChunks() throws {
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          codes = numpy.arange(5 * 2 * 3 * 4).reshape(5, 2, 3, 4) % 7
          f.create_dataset("codes", data=codes, chunks=(2, 1, 2, 3), compression="gzip", fletcher32=True)
          f["codebook"] = numpy.zeros((7, 2), dtype="float16")
      """)
    let dataset = try TokenDataset(contentsOf: path)
    #expect(dataset.grid == TokenGrid(frames: 2, rows: 3, columns: 4))
    #expect(dataset.codes == (0..<120).map { UInt32($0 % 7) })
  }

  @Test(arguments: [
    ("layout[:] = h5py.VirtualSource('missing.h5', 'codes', shape=(4, 2, 2))", "cannot be found"),
    ("layout[:2] = h5py.VirtualSource('source.h5', 'codes', shape=(4, 2, 2))[:2]", "8 of its 16"),
    ("layout[:] = h5py.VirtualSource('source.h5', 'codes', shape=(4, 2, 2))", ""),
  ])
  func virtualDatasetsWithAndWithoutTheirSources(layout: String, problem: String) throws {
    try Python.run(
      """
      import h5py, numpy
      codes = numpy.arange(16).reshape(4, 2, 2)
      with h5py.File("\(folder.file("source.h5"))", "w") as f:
          f["codes"] = codes
      layout = h5py.VirtualLayout(shape=(4, 2, 2), dtype=codes.dtype)
      \(layout)
      with h5py.File("\(path)", "w") as f:
          f.create_virtual_dataset("codes", layout)
          f["codebook"] = numpy.zeros((16, 2), dtype="float32")
      """)
    guard !problem.isEmpty else {
      #expect(try TokenDataset(contentsOf: path).codes == (0..<16).map { UInt32($0) })
      return
    }
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains(problem) == true)
  }

  @Test(arguments: ["lzf", "gzip"], [false, true])
  func readsEveryCompressionOfH5Py(compression: String, isShuffled: Bool) throws {
    try Python.run(
      """
      import h5py, numpy
      codes = (numpy.arange(40 * 16) // 3 % 7).reshape(40, 4, 4).astype("int64")
      with h5py.File("\(path)", "w") as f:
          f.create_dataset("codes", data=codes, compression="\(compression)",
                           shuffle=\(isShuffled ? "True" : "False"), fletcher32=True, chunks=(7, 3, 4))
          f["codebook"] = numpy.zeros((7, 2), dtype="float32")
      """)
    #expect(try TokenDataset(contentsOf: path).codes == (0..<640).map { UInt32($0 / 3 % 7) })
  }

  @Test(arguments: [
    ("scaleoffset=0", "filter scaleoffset (6)"),
    ("external=[('\\(raw)', 0, h5py.h5f.UNLIMITED)]", "raw file"),
  ])
  func filtersThatAreMissingAndRawFilesAreNamed(options: String, problem: String) throws {
    let options = options.replacingOccurrences(of: "\\(raw)", with: folder.file("raw"))
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          f.create_dataset("codes", data=numpy.zeros((40, 4, 4), dtype="int64"), \(options))
          f["codebook"] = numpy.zeros((7, 2), dtype="float32")
      """)
    let error = #expect(throws: TokenDataError.self) { try TokenDataset(contentsOf: path) }
    #expect(error?.description.contains(problem) == true)
  }

  @Test func readsFeaturesLabelsAndStringsOfBothKinds() throws {
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          f["features"] = numpy.arange(24, dtype="float64").reshape(2, 2, 3, 2)
          f["labels"] = numpy.array([1, 0])
          f["label_names"] = ["été", "hiver"]
          f.attrs["format"] = "token-dataset"
          f.attrs["format_version"] = 1
          f.attrs["source"] = numpy.bytes_("fixed length")
      """)
    let dataset = try TokenDataset(contentsOf: path)
    #expect(dataset.featureDimensions == 2)
    #expect(try dataset.features(ofImages: 0..<2) == (0..<24).map { Float($0) })
    #expect(dataset.labels == TokenLabels(values: [1, 0], names: ["été", "hiver"]))
    #expect(dataset.attributes.source == "fixed length")
  }

  @Test func readsNamesOfFixedLength() throws {
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          f["codes"] = numpy.zeros((2, 1, 1), dtype="int64")
          f["codebook"] = numpy.zeros((1, 1))
          f["labels"] = numpy.array([0, 1])
          f["label_names"] = numpy.array([b"forest", b"sea"])
      """)
    #expect(try TokenDataset(contentsOf: path).labels?.names == ["forest", "sea"])
  }

  @Test func h5pyReadsWhatIsWritten() throws {
    let dataset = try randomDataset()
    try dataset.write(to: path)
    let output = try Python.run(
      """
      import h5py
      with h5py.File("\(path)") as f:
          print(dict(f.attrs) == {"format": "token-dataset", "format_version": 1,
              "tokenizer": "random", "source": "a generator", "license": "CC0-1.0",
              "created_by": "a test"})
          print(f["codes"].dtype, f["codes"].shape, f["codes"].compression, f["codes"].shuffle)
          print(f["codes"][:].ravel().tolist())
          print(f["codebook"].dtype, f["codebook"].shape, f["labels"].dtype)
          print(f["labels"][:].tolist(), f["label_names"].asstr()[:].tolist())
          print(f["decoder"].attrs["kind"], f["decoder/basis"][:].tolist())
      """)
    let codes = try #require(dataset.codes)
    #expect(
      output == """
        True
        uint16 (7, 3, 4) gzip True
        \(codes)
        float32 (20, 3) uint32
        [0, 1, 0, 1, 0, 1, 0] ['hier', 'ailleurs, là-bas']
        test [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]

        """)
  }

  /// HDF5 stores extents without storing elements; these multiply to no 64-bit number.
  @Test func enormousExtents() throws {
    try Python.run(
      """
      import h5py
      with h5py.File("\(path)", "w") as f:
          f.create_dataset("codes", shape=(2**40, 2**14, 2**14), dtype="u2", chunks=(1, 64, 64))
          f["codebook"] = [[0.0], [1.0]]
      """)
    let error = #expect(throws: TokenDataError.self) { try TokenDatasetFile(path: path) }
    #expect(error?.description.contains("(1099511627776, 16384, 16384)") == true)
  }

  @Test func aBooleanMaskIsNoCode() throws {
    try Python.run(
      """
      import h5py, numpy
      with h5py.File("\(path)", "w") as f:
          f["codes"] = numpy.zeros((2, 1, 1), dtype=bool)
          f["codebook"] = numpy.zeros((2, 1))
      """)
    #expect(
      throws: TokenDataError.wrongElementType(path, dataset: "codes", expected: "whole numbers")
    ) { try TokenDataset(contentsOf: path) }
  }
}
