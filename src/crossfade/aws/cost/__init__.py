"""What an environment costs a month, line by line."""
