// Encoding and decoding of one 384 x 384 image by a VQ-16 of the published size with random
// weights, in turns with the same network in PyTorch:
//   swift run -c release --package-path Benchmarks vq-benchmark [rounds]
import FileFormats
import Foundation
import LinearAlgebra
import NeuralKernels
import TokenData
import VisualTokenizers

let rounds = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 5
let side = 384
let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
  "vq-benchmark-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let weights = folder.appendingPathComponent("vq.safetensors").path

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return Double((ContinuousClock.now - start).components.attoseconds) * 1e-18
    + Double((ContinuousClock.now - start).components.seconds)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func floats(_ name: String) throws -> [Float] {
  try Data(contentsOf: URL(fileURLWithPath: weights + name)).withUnsafeBytes {
    Array($0.bindMemory(to: Float.self))
  }
}

func difference(_ a: [Float], _ b: [Float]) -> Float {
  let largest = b.reduce(0) { max($0, abs($1)) }
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
}

let random = RandomCheckpoint(imageSide: side)
try SafetensorsWriter.write(random.tensors, to: weights)
let checkpoint = try SafetensorsCheckpoint(path: weights)
var encoder: VQEncoder?
var decoder: VQDecoder?
let loading = try seconds {
  encoder = try VQEncoder(checkpoint)
  decoder = try VQDecoder(checkpoint)
}
guard let encoder, let decoder else { fatalError("the network was loaded") }
let planes = try checkpoint.floats("benchmark.image")
let image = (0..<side * side * 3).map { planes[$0 % 3 * side * side + $0 / 3] }
print("kernels \(Convolution.kernelName), BLAS core \(BLAS.coreName), \(BLAS.threads) threads")
print(String(format: "loading and packing the weights: %.2f s", loading))

var codes = try encoder.codes(image: image, height: side, width: side)
_ = try decoder.image(codes: codes, rows: side / 16, columns: side / 16)
let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../peers/vq_peer.py").standardized.path
for layout in ["contiguous", "channels_last"] {
  let peer = try Peer(script: script, weights: weights, layout: layout)
  print(peer.name)
  _ = try peer.run("decode")
  var times: [String: [Double]] = [:]
  for _ in 0..<rounds {
    times["encode", default: []].append(
      try seconds { codes = try encoder.codes(image: image, height: side, width: side) })
    times["peer encode", default: []].append(try peer.run("encode"))
    times["decode", default: []].append(
      try seconds {
        _ = try decoder.image(codes: codes, rows: side / 16, columns: side / 16)
      })
    times["peer decode", default: []].append(try peer.run("decode"))
  }
  for name in ["encode", "decode"] {
    let (own, other) = (median(times[name] ?? []), median(times["peer " + name] ?? []))
    print(
      String(
        format: "%@: %.3f s, PyTorch %.3f s, ratio %.2f (medians of %d)", name, own, other,
        other / own, rounds))
  }
  _ = try peer.run("output")
  let projected = try encoder.activations(image: image, height: side, width: side).projected
  let peerCodes = try Data(contentsOf: URL(fileURLWithPath: weights + ".codes")).withUnsafeBytes {
    $0.bindMemory(to: Int32.self).map { UInt32($0) }
  }
  let differing = zip(codes, peerCodes).filter { $0 != $1 }.count
  let decoded = try decoder.image(codes: peerCodes, rows: side / 16, columns: side / 16)
  print(
    "largest differences, relative to the largest value: quant_conv "
      + "\(difference(projected.elements, try floats(".projected"))), decoded "
      + "\(difference(decoded, try floats(".decoded"))); \(differing) of \(codes.count) codes differ"
  )
}
