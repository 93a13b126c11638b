"""Where something is played to the end and nothing is left: a temporary home of its own, and verbs run in it."""
