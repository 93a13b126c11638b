"""ECS: two services by colour, told sizes and never a victim."""
