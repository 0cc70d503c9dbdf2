import Commands

runProgram(MomentsCommand.self)
