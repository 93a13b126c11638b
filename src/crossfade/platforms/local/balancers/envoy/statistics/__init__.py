"""What Envoy counts and holds: totals that outlive its processes, failures by cause, and what each instance has."""
