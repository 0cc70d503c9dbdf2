/// The word that a misspelt one was most likely meant to be, or nil where none is near.
///
/// A word is near when `text` begins it or it begins `text` (three letters at least), or when at most two letters, or
/// a third of them, are wrong. Case and hyphens do not count.
func closestWord(to text: String, in words: [String]) -> String? {
  let text = text.lowercased().filter { $0.isLetter }
  let nearest =
    words
    .map { (word: $0, distance: editDistance(Array(text), Array($0))) }
    .min { $0.distance < $1.distance }
  if let nearest, nearest.distance <= max(2, nearest.word.count / 3), nearest.distance < text.count
  {
    return nearest.word
  }
  return text.count < 3 ? nil : words.first { $0.hasPrefix(text) || text.hasPrefix($0) }
}

/// The number of letters to insert, delete or replace that turns one word into the other (Levenshtein).
///
/// - Complexity: O(m·n).
func editDistance(_ first: [Character], _ second: [Character]) -> Int {
  var distances = Array(0...second.count)
  for (row, letter) in first.enumerated() {
    var diagonal = distances[0]
    distances[0] = row + 1
    for (column, other) in second.enumerated() {
      let replaced = diagonal + (letter == other ? 0 : 1)
      diagonal = distances[column + 1]
      distances[column + 1] = min(replaced, diagonal + 1, distances[column] + 1)
    }
  }
  return distances[second.count]
}
