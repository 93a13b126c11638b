"""Instances as containers of this machine's Docker."""
