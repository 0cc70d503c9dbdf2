import Commands

AppendixFiguresCommand.main()
