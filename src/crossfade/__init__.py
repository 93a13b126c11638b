"""Ship every release of a web app without losing a request."""


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: it takes 30 ms that `crossfade status` does not have."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  see above

        return version("crossfade")
    raise AttributeError(name)
