import Commands

runTokenEntropy()
