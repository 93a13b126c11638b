"""From a Compose file to ours: read as Compose reads it, judged service by service, written with what is left to do."""
