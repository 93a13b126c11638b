"""A whole platform in memory and a time of its own: `plan` shows on it what would happen, tests what could."""
