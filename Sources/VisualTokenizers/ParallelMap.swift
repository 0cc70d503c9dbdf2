import LinearAlgebra
import Synchronization

/// The results of `transform` for all elements, in their order, computed on all cores.
func parallelMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], _ transform: @Sendable (Element) -> Result
) -> [Result] {
  let results = Mutex([Result?](repeating: nil, count: elements.count))
  parallelFor(elements.count) { index in
    let result = transform(elements[index])
    results.withLock { $0[index] = result }
  }
  return results.withLock { $0 }.compactMap(\.self)
}
