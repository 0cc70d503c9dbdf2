import Commands

FidCompareCommand.main()
