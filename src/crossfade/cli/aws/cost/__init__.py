"""`crossfade cost`: bills, savings, comparisons, checks."""
