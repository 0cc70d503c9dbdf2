import Commands

runProgram(ParSampleCommand.self)
