"""The page that people leave open: what runs, what moves, what happened, and the orders one gives while looking."""
