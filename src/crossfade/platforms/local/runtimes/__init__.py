"""Runtimes of one machine: adapters of the `Runtime` port, which run instances."""
