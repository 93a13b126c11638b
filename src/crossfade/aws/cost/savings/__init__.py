"""What could be cheaper, and how that is reckoned."""
