"""Where a first file comes from: a folder, or a Compose file."""
