import COpenBLAS
import LinearAlgebra

/// A network with one hidden layer, y = V·relu(W·x + b) + c, on batches of rows.
public struct Perceptron: Sendable {
  /// The numbers of an input.
  public let inputs: Int
  /// The hidden units.
  public let hidden: Int
  /// The numbers of an output.
  public let outputs: Int
  /// W (hidden × inputs), b, V (outputs × hidden), c.
  public var parameters: [Float]

  /// Makes a network with the given parameters.
  ///
  /// - Precondition: there are ``parameterCount(inputs:hidden:outputs:)`` of them.
  public init(inputs: Int, hidden: Int, outputs: Int, parameters: [Float]) {
    precondition(
      parameters.count
        == Self.parameterCount(inputs: inputs, hidden: hidden, outputs: outputs),
      "a network has all its parameters")
    self.inputs = inputs
    self.hidden = hidden
    self.outputs = outputs
    self.parameters = parameters
  }

  /// How many parameters a network has.
  public static func parameterCount(inputs: Int, hidden: Int, outputs: Int) -> Int {
    hidden * (inputs + 1) + outputs * (hidden + 1)
  }

  private var hiddenOffsets: Int { hidden * inputs }
  private var readout: Int { hidden * (inputs + 1) }
  private var readoutOffsets: Int { hidden * (inputs + 1) + outputs * hidden }

  /// The hidden layer's and the output's values for a batch.
  ///
  /// - Parameter rows: batch × inputs.
  /// - Returns: relu(W·x + b), batch × hidden, and y, batch × outputs.
  /// - Complexity: O(batch · hidden · (inputs + outputs)).
  public func forward(_ rows: FloatMatrix) -> (active: FloatMatrix, output: FloatMatrix) {
    precondition(rows.columns == inputs, "a row is an input")
    var active = FloatMatrix(rows: rows.rows, columns: hidden)
    var output = FloatMatrix(rows: rows.rows, columns: outputs)
    guard rows.rows > 0 else { return (active, output) }
    parameters.withUnsafeBufferPointer { p in
      guard let p = p.baseAddress else { return }
      active.elements.withUnsafeMutableBufferPointer { active in
        for i in 0..<rows.rows {
          for u in 0..<hidden { active[i * hidden + u] = p[hiddenOffsets + u] }
        }
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.rows), Int32(hidden), Int32(inputs),
          1, rows.elements, Int32(inputs), p, Int32(inputs), 1, active.baseAddress, Int32(hidden))
        for index in 0..<active.count { active[index] = max(active[index], 0) }
        output.elements.withUnsafeMutableBufferPointer { output in
          for i in 0..<rows.rows {
            for u in 0..<outputs { output[i * outputs + u] = p[readoutOffsets + u] }
          }
          cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows.rows), Int32(outputs),
            Int32(hidden), 1, active.baseAddress, Int32(hidden), p + readout, Int32(hidden), 1,
            output.baseAddress, Int32(outputs))
        }
      }
    }
    return (active, output)
  }

  /// The gradient of a loss by the parameters.
  ///
  /// - Parameters:
  ///   - rows: batch × inputs.
  ///   - active: The hidden layer of ``forward(_:)`` for them.
  ///   - outputGradient: The loss's gradient by the output, batch × outputs.
  /// - Complexity: O(batch · hidden · (inputs + outputs)).
  public func gradient(
    _ rows: FloatMatrix, active: FloatMatrix, outputGradient: FloatMatrix
  ) -> [Float] {
    let batch = rows.rows
    precondition(
      rows.columns == inputs && active.rows == batch && active.columns == hidden
        && outputGradient.rows == batch && outputGradient.columns == outputs,
      "a batch has inputs, hidden units and outputs")
    var result = [Float](repeating: 0, count: parameters.count)
    guard batch > 0 else { return result }
    var flow = FloatMatrix(rows: batch, columns: hidden)
    parameters.withUnsafeBufferPointer { p in
      result.withUnsafeMutableBufferPointer { result in
        flow.elements.withUnsafeMutableBufferPointer { flow in
          active.elements.withUnsafeBufferPointer { active in
            guard let p = p.baseAddress, let target = result.baseAddress else { return }
            cblas_sgemm(
              CblasRowMajor, CblasTrans, CblasNoTrans, Int32(outputs), Int32(hidden), Int32(batch),
              1, outputGradient.elements, Int32(outputs), active.baseAddress, Int32(hidden), 0,
              target + readout, Int32(hidden))
            cblas_sgemm(
              CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(batch), Int32(hidden),
              Int32(outputs), 1, outputGradient.elements, Int32(outputs), p + readout,
              Int32(hidden), 0, flow.baseAddress, Int32(hidden))
            for i in 0..<batch {
              for u in 0..<outputs {
                result[readoutOffsets + u] += outputGradient.elements[i * outputs + u]
              }
              for u in i * hidden..<(i + 1) * hidden {
                let value = active[u] > 0 ? flow[u] : 0
                flow[u] = value
                result[hiddenOffsets + u - i * hidden] += value
              }
            }
            cblas_sgemm(
              CblasRowMajor, CblasTrans, CblasNoTrans, Int32(hidden), Int32(inputs), Int32(batch),
              1, flow.baseAddress, Int32(hidden), rows.elements, Int32(inputs), 0, target,
              Int32(inputs))
          }
        }
      }
    }
    return result
  }
}
