import Commands

runProgram(AppendixFiguresCommand.self)
