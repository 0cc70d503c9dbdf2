import Commands

runProgram(FidCompareCommand.self)
