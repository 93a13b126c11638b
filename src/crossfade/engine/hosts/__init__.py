"""Releases on their way over hosts: folded from the record, carried to their end."""
