extension Matrix {
  /// The squared length of each row.
  package var squaredRowNorms: [Double] {
    (0..<rows).map { i in
      var sum = 0.0
      for j in i * columns..<(i + 1) * columns { sum += elements[j] * elements[j] }
      return sum
    }
  }
}
