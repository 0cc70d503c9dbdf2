import Commands

TokenizeCommand.main()
