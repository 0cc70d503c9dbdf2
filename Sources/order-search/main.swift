import Commands

runProgram(OrderSearchCommand.self)
