"""Several services of one deploy: they end together, give each other routes, and take the place of others."""
