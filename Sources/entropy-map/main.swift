import Commands

runProgram(EntropyMapCommand.self)
