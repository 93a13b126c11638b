"""What customers say, kept in one SQLite file that outlives every release."""
