"""A Compose project as Compose reads it: files, variables, ports, mounts."""
