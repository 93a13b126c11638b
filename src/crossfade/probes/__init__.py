"""Asking instances over HTTP: health checks and synthetic requests."""
