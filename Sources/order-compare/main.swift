import Commands

runProgram(OrderCompareCommand.self)
