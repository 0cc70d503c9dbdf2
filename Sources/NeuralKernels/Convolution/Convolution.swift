import CKernels
import Foundation
import LinearAlgebra

/// What a layer does to each channel of its input first: x·scale + shift, followed by swish, x / (1
/// + e⁻ˣ).
public struct ChannelActivation: Sendable {
  let scale: [Float]
  let shift: [Float]
}

/// A two-dimensional convolution of one image, with its bias.
///
/// 3×3 convolutions of stride 1 whose inputs are a multiple of sixteen channels go through
/// Winograd's F(4×4, 3×3), a quarter of the products; its rounding error is some ten times that of
/// the plain sum and still below 10⁻⁵ of the largest value. Everything else multiplies patches with
/// weights.
public struct Convolution: Sendable {
  /// The rows and columns of the kernel.
  public let kernel: Int
  /// The distance of the patches.
  public let stride: Int
  /// The channels of the input.
  public let inputs: Int
  /// The channels of the output.
  public let outputs: Int
  private let weights: FloatBuffer
  private let bias: [Float]
  private let usesWinograd: Bool

  /// Packs the weights.
  ///
  /// - Parameters:
  ///   - weights: `outputs × inputs × kernel × kernel`.
  ///   - bias: one number for each output.
  ///   - stride: 1, with zeros around the image so that the output is as large; or 2, with zeros to
  ///     the right and below only, so that the output is half as large (for odd sides, rounded
  ///     down).
  ///   - allowingWinograd: false for the plain sum of products in every case.
  /// - Precondition: the numbers fit; the kernel is odd.
  /// - Complexity: O(weights).
  public init(
    weights: [Float], bias: [Float], inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
    allowingWinograd: Bool = true
  ) {
    precondition(weights.count == outputs * inputs * kernel * kernel, "the weights fit")
    precondition(bias.count == outputs && kernel % 2 == 1 && (1...2).contains(stride), "it fits")
    (self.kernel, self.stride, self.inputs, self.outputs) = (kernel, stride, inputs, outputs)
    self.bias = bias
    usesWinograd =
      allowingWinograd && kernel == 3 && stride == 1 && te_winograd_supports(inputs) != 0
    if usesWinograd {
      self.weights = FloatBuffer(count: te_winograd_weight_floats(inputs, outputs))
      te_winograd_pack(weights, inputs, outputs, self.weights.pointer)
    } else {
      self.weights = FloatBuffer(count: te_patch_weight_floats(inputs, kernel, outputs))
      te_patch_pack(weights, inputs, kernel, outputs, self.weights.pointer)
    }
  }

  /// Convolves a map.
  ///
  /// - Parameters:
  ///   - map: the input, of ``inputs`` channels.
  ///   - activation: what to do to it first.
  ///   - upsampling: whether each pixel of the input counts as 2 × 2 equal ones.
  ///   - residual: what to add to the result, of the result's size.
  /// - Complexity: O(pixels · inputs · outputs · kernel²).
  public func callAsFunction(
    _ map: FeatureMap, activation: ChannelActivation? = nil, upsampling: Bool = false,
    adding residual: FeatureMap? = nil
  ) -> FeatureMap {
    precondition(map.channels == inputs, "the input has the channels of the weights")
    guard usesWinograd else {
      return patches(prepared(map, activation, upsampling), adding: residual)
    }
    let factor = upsampling ? 2 : 1
    let output = FeatureMap(
      height: map.height * factor, width: map.width * factor, channels: outputs, pool: map.pool)
    checkSize(residual, output)
    withOptionalPointers(activation) { scale, shift in
      bias.withUnsafeBufferPointer { bias in
        let job = te_winograd_job(
          input: map.buffer.pointer, scale: scale, shift: shift, weights: weights.pointer,
          bias: bias.baseAddress, residual: residual.map { UnsafePointer($0.buffer.pointer) },
          output: output.buffer.pointer, height: output.height, width: output.width,
          channels: inputs, outputs: outputs, upsample: upsampling ? 1 : 0,
          piece_tiles: te_winograd_piece_tiles(
            output.height, output.width, Int32(map.pool.workers)))
        let shared = SharedJob(job)
        withUnsafePointer(to: job) { job in
          map.pool.forEachPiece(
            te_winograd_pieces(job), scratch: te_winograd_scratch_floats(job)
          ) { piece, scratch in
            shared.run { te_winograd_run($0, piece, scratch) }
          }
        }
      }
    }
    return output
  }

  private func patches(_ map: FeatureMap, adding residual: FeatureMap?) -> FeatureMap {
    let (height, width) =
      stride == 1
      ? (map.height, map.width)
      : ((map.height + 1 - kernel) / 2 + 1, (map.width + 1 - kernel) / 2 + 1)
    let output = FeatureMap(height: height, width: width, channels: outputs, pool: map.pool)
    checkSize(residual, output)
    bias.withUnsafeBufferPointer { bias in
      let job = te_patch_job(
        input: map.buffer.pointer, weights: weights.pointer, bias: bias.baseAddress,
        residual: residual.map { UnsafePointer($0.buffer.pointer) },
        output: output.buffer.pointer, in_height: map.height, in_width: map.width,
        channels: inputs, out_height: height, out_width: width, outputs: outputs, kernel: kernel,
        stride: stride, before: stride == 1 ? kernel / 2 : 0)
      let shared = SharedJob(job)
      withUnsafePointer(to: job) { job in
        map.pool.forEachPiece(te_patch_pieces(job), scratch: te_patch_scratch_floats(job)) {
          piece, scratch in
          shared.run { te_patch_run($0, piece, scratch) }
        }
      }
    }
    return output
  }

  /// The input as the products with patches need it: activated and enlarged.
  private func prepared(
    _ map: FeatureMap, _ activation: ChannelActivation?, _ upsampling: Bool
  ) -> FeatureMap {
    guard activation != nil || upsampling else { return map }
    let factor = upsampling ? 2 : 1
    let source = map.elements
    var elements: [Float] = []
    elements.reserveCapacity(source.count * factor * factor)
    for y in 0..<map.height * factor {
      for x in 0..<map.width * factor {
        let place = (y / factor * map.width + x / factor) * inputs
        for c in 0..<inputs {
          var value = source[place + c]
          if let activation {
            value = swish(value * activation.scale[c] + activation.shift[c])
          }
          elements.append(value)
        }
      }
    }
    return FeatureMap(
      height: map.height * factor, width: map.width * factor, channels: inputs,
      elements: elements, pool: map.pool)
  }

  private func checkSize(_ residual: FeatureMap?, _ output: FeatureMap) {
    guard let residual else { return }
    precondition(
      residual.height == output.height && residual.width == output.width
        && residual.channels == output.channels, "what is added is as large as the result")
  }

  private func withOptionalPointers(
    _ activation: ChannelActivation?,
    _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
  ) {
    guard let activation else { return body(nil, nil) }
    activation.scale.withUnsafeBufferPointer { scale in
      activation.shift.withUnsafeBufferPointer { shift in
        body(scale.baseAddress, shift.baseAddress)
      }
    }
  }

  /// The instruction set of the kernels in use, such as `avx2`.
  public static var kernelName: String { String(cString: te_convolution_kernel_name()) }
}

/// A description of a layer's work that several threads read; its pointers outlive the loop.
private struct SharedJob<Job>: @unchecked Sendable {
  private let job: Job

  init(_ job: Job) { self.job = job }

  func run(_ body: (UnsafePointer<Job>) -> Void) { withUnsafePointer(to: job, body) }
}

/// x / (1 + e⁻ˣ).
func swish(_ x: Float) -> Float { x / (1 + exp(-x)) }
