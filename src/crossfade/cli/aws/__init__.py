"""Verbs about an environment on AWS."""
