"""Two bills side by side."""
