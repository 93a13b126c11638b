"""Notes, and how many words each has."""
