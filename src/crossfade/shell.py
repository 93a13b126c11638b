"""What the shell that starts a process of ours leaves to it: a umask, and limits."""

import os

from crossfade.core.errors import PlatformError

OTHERS_WRITE = 0o022  # of what is made: by group and others
_OURS = 0o700  # a umask that takes it from ourselves would lock us out of our own files
_ENDS_WHAT_LASTS = {"FSIZE": "how large files get (ulimit -f)", "CPU": "how long a processor works (ulimit -t)"}


def mask(more: int = 0) -> None:
    """Keep its umask but for what is ours, and take away `more`."""
    os.umask(os.umask(0) & ~_OURS | more)


def require_lasting() -> None:
    """PlatformError for a limit that cannot be left, and that would end apps, or the journal, some time."""
    import resource  # noqa: PLC0415  for who starts a controller: every command has a umask

    for name, what in _ENDS_WHAT_LASTS.items():
        limit: int = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY:
            raise PlatformError(
                f"this shell limits {what}, and that limit would hold for all that runs here, for as long as it runs",
                "start the controller from a shell that does not: `crossfade up`",
            )
        resource.setrlimit(limit, (hard, hard))
