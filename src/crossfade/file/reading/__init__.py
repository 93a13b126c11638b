"""How a file is read: YAML with places, variables filled in, and what is wrong said at its place."""
