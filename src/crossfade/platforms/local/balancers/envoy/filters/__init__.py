"""Filters of ours in Envoy's way of a request, and what each looks for before it costs anything."""
