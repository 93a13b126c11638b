"""The bill of an environment, line by line."""
