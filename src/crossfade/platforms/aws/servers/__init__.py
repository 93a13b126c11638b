"""Hosts that stay, behind a load balancer: which there are, the way in, their places there, the record."""
