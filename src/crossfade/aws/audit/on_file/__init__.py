"""Checks of the file: each takes the application as one environment wants it, and points at keys."""
