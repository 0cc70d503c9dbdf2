import Commands

runProgram(TokenizeCommand.self)
