"""Verbs that ship releases."""
