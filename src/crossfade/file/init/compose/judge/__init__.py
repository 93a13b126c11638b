"""What each service of a project is, and which of them stands in front."""
