import Commands

ParSampleCommand.main()
