"""The only writer of rollouts: observe, decide, journal, act."""
