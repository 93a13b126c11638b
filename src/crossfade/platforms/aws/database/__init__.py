"""The database of an environment: written down before a migration, and given back beside itself."""
