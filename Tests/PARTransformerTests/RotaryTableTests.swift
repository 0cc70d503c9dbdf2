import Foundation
import Testing
import TokenGrids

@testable import PARTransformer

@Test func tokensTurnByTheirOwnCellAndOthersVanish() throws {
  let grid = TokenGrid(rows: 4, columns: 4)
  let order = try OrderSpecification("distant").order(on: grid, tokensPerStep: 4)
  let sequence = try PARSequence(order: order, tokensPerStep: 4)
  let table = try RotaryTable(sequence: sequence, headWidth: 16)
  for position in 0..<sequence.positionCount {
    let row = Array(table.cosines[position * 8..<(position + 1) * 8])
    guard case .token(let token) = sequence.input(at: position) else {
      #expect(row == Array(repeating: 0, count: 8))
      #expect(table.sines[position * 8..<(position + 1) * 8].allSatisfy { $0 == 0 })
      continue
    }
    let cell = grid.cell(at: order.sequence[token])
    for pair in 0..<8 {
      let coordinate = Double(pair < 4 ? cell.row : cell.column)
      let angle = coordinate * pow(10_000, -2 * Double(pair % 4) / 8)
      #expect(abs(Double(row[pair]) - cos(angle)) < 1e-6)
      #expect(abs(Double(table.sines[position * 8 + pair]) - sin(angle)) < 1e-6)
    }
  }
}

@Test func videoTurnsByFrameRowAndColumn() throws {
  let grid = TokenGrid(frames: 2, rows: 4, columns: 4)
  let order = try OrderSpecification("distant").order(on: grid, tokensPerStep: 4)
  let sequence = try PARSequence(order: order, tokensPerStep: 4)
  let table = try RotaryTable(sequence: sequence, headWidth: 16)
  #expect(RotaryTable.pairsOfAxes(8, grid: grid) == [2, 3, 3])
  #expect(RotaryTable.pairsOfAxes(32, grid: grid) == [10, 11, 11])
  #expect(RotaryTable.pairsOfAxes(50, grid: grid) == [16, 17, 17])
  for position in 0..<sequence.positionCount {
    guard case .token(let token) = sequence.input(at: position) else { continue }
    let cell = grid.cell(at: order.sequence[token])
    let row = Array(table.sines[position * 8..<(position + 1) * 8])
    #expect(abs(row[0] - Float(sin(Double(cell.frame)))) < 1e-6)
    #expect(abs(row[2] - Float(sin(Double(cell.row)))) < 1e-6)
    #expect(abs(row[5] - Float(sin(Double(cell.column)))) < 1e-6)
  }
  #expect(throws: PARError.headTooNarrow(headWidth: 4, grid: grid)) {
    try RotaryTable(sequence: sequence, headWidth: 4)
  }
}
