"""Ship every release of a web app without losing a request."""

__version__ = "0.1.0"
