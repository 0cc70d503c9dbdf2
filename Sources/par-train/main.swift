import Commands

ParTrainCommand.main()
