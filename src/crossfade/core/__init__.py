"""The nouns: no I/O, no clock, no environment."""
