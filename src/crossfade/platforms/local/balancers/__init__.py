"""Balancers of one machine: adapters of the LoadBalancer port. Chosen in `machine.py`, seen nowhere else."""
