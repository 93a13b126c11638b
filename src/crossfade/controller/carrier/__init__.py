"""Where no daemon runs: the process that was asked carries what it was asked for, and any later one after it."""
