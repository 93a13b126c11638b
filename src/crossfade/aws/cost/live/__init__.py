"""Prices that nobody here knows, asked of AWS with the credentials of whoever asks."""
