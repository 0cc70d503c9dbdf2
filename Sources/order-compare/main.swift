import Commands

OrderCompareCommand.main()
