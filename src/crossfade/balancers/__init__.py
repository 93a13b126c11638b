"""Who sends traffic: adapters of the LoadBalancer port. Chosen in `wiring`, seen nowhere else."""
