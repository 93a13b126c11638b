"""Telling Envoy what it is to run: it asks on one stream, is sent what differs, and says what it runs (delta xDS)."""
