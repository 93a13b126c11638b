"""Verbs about the machine."""
