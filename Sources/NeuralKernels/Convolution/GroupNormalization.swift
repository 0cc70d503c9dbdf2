import CKernels
import LinearAlgebra

/// Group normalisation: channels in groups, each group brought to mean 0 and variance 1 over all
/// pixels, then scaled and shifted by channel. (Wu and He, "Group normalization", 2018.)
public struct GroupNormalization: Sendable {
  /// How many groups the channels form.
  public let groups: Int
  private let epsilon: Double
  private let weight: [Float]
  private let bias: [Float]

  /// - Precondition: the groups divide the channels, and there is a weight and a bias for each.
  public init(weight: [Float], bias: [Float], groups: Int = 32, epsilon: Double = 1e-6) {
    precondition(
      weight.count == bias.count && groups > 0 && weight.count.isMultiple(of: groups),
      "the groups divide the channels")
    (self.groups, self.epsilon, self.weight, self.bias) = (groups, epsilon, weight, bias)
  }

  /// What the normalisation of this map does to each channel; the next layer applies it as it
  /// reads.
  ///
  /// - Complexity: O(pixels · channels), at the speed of memory.
  public func activation(for map: FeatureMap) -> ChannelActivation {
    precondition(map.channels == weight.count, "the map has the channels of the weights")
    let (channels, pixels) = (map.channels, map.pixels)
    // Sums of differences from the first pixel do not cancel where the mean is large.
    let centre = map.buffer[0..<channels]
    let pieces = max(1, min(map.pool.workers * 4, pixels / 256))
    let input = SharedPointer(map.buffer.pointer)
    var moments = [Double](repeating: 0, count: pieces * channels * 2)
    moments.withUnsafeMutableBufferPointer { moments in
      guard let base = moments.baseAddress else { return }
      let output = SharedPointer(base)
      parallelFor(pieces) { piece in
        let pixelRange = pixels * piece / pieces..<pixels * (piece + 1) / pieces
        let sums = output.base + piece * channels * 2
        te_channel_moments(
          input.base + pixelRange.lowerBound * channels, pixelRange.count, channels, centre, sums,
          sums + channels)
      }
    }
    var (scale, shift) = (weight, bias)
    let width = channels / groups
    for group in 0..<groups {
      var (means, variances) = ([Double](), 0.0)
      for channel in group * width..<(group + 1) * width {
        var (sum, square) = (0.0, 0.0)
        for piece in 0..<pieces {
          sum += moments[piece * channels * 2 + channel]
          square += moments[piece * channels * 2 + channels + channel]
        }
        let mean = sum / Double(pixels)
        means.append(mean + Double(centre[channel]))
        variances += square / Double(pixels) - mean * mean
      }
      // The variance of a group is that within its channels and that of their means.
      let mean = means.reduce(0, +) / Double(width)
      let between = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let factor = 1 / ((variances + between) / Double(width) + epsilon).squareRoot()
      for channel in group * width..<(group + 1) * width {
        scale[channel] = Float(factor * Double(weight[channel]))
        shift[channel] = Float(Double(bias[channel]) - mean * factor * Double(weight[channel]))
      }
    }
    return ChannelActivation(scale: scale, shift: shift)
  }

  /// The normalised map, without an activation.
  public func callAsFunction(_ map: FeatureMap) -> FeatureMap {
    let activation = activation(for: map)
    let output = map.like(channels: map.channels)
    te_channel_affine(
      map.buffer.pointer, map.pixels, map.channels, activation.scale, activation.shift,
      output.buffer.pointer)
    return output
  }
}
