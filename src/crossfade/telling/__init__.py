"""What happened, in words: how people read values, events and ends, on a terminal, a page or paper."""
