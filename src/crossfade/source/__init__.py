"""A service's source folder: what of it belongs to a release, and which commit it is."""
