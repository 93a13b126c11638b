"""Telling people and programs elsewhere how rollouts ended and what is not in order."""
