import CKernels

/// Conversions between Float32 and the two sixteen-bit formats, given as bit patterns.
public enum HalfPrecision {
  /// The values of IEEE half-precision numbers; exact.
  public static func widenFloat16(_ halves: [UInt16]) -> [Float] {
    [Float](unsafeUninitializedCapacity: halves.count) { buffer, count in
      te_widen_float16(halves, halves.count, buffer.baseAddress)
      count = halves.count
    }
  }

  /// The values of bfloat16 numbers, the upper halves of Float32; exact.
  public static func widenBFloat16(_ halves: [UInt16]) -> [Float] {
    [Float](unsafeUninitializedCapacity: halves.count) { buffer, count in
      te_widen_bfloat16(halves, halves.count, buffer.baseAddress)
      count = halves.count
    }
  }

  /// The nearest bfloat16 numbers, ties to even.
  public static func narrowBFloat16(_ values: [Float]) -> [UInt16] {
    [UInt16](unsafeUninitializedCapacity: values.count) { buffer, count in
      te_narrow_bfloat16(values, values.count, buffer.baseAddress)
      count = values.count
    }
  }
}
