import Commands

runProgram(ParTrainCommand.self)
