"""Verbs over hosts: the same words as on one machine, asked of each host's own controller through SSH."""
