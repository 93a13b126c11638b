"""Verbs about the file."""
