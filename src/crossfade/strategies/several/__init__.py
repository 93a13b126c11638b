"""Decisions over several services or hosts: who goes next, and who is in whose way."""
