"""The program of an instance: the service's command, or our own server of a folder."""

import shlex
import sys

from crossfade.core.service import Service


def program(service: Service) -> str:
    """A shell command line. Of our server the Python is ours, and the release's folder none that it imports from."""
    static = service.static
    if static is None:
        return service.command
    words = [sys.executable, "-P", "-m", "crossfade.platforms.local.static", f"--folder={static.folder}"]
    if static.fallback:
        words.append(f"--fallback={static.fallback}")
    words += [word for pattern in static.immutable for word in ("--immutable", pattern)]
    return f"exec {shlex.join(words)}"
