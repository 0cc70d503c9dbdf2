import Commands

EntropyMapCommand.main()
