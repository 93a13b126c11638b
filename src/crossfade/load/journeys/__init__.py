"""Visitors with journeys: what a load test sends, counts and says."""
