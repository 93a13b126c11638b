"""The controller's API: HTTP and JSON on a unix socket."""
