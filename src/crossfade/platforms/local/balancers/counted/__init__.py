"""What was counted: read from logs as they grow, and kept as totals, in buckets that all balancers share."""
