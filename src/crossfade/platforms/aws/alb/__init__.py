"""The Application Load Balancer: weights that are read back, and the health that it sees."""
