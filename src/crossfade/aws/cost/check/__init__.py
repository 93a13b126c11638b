"""A table of costs that a team wrote, checked."""
