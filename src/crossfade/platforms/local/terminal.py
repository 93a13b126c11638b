"""A person's command where an instance would be, on the terminal of who asked."""

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from crossfade.core.errors import WrongInputError


def take_place(seat: Mapping[str, Any], words: Sequence[str]) -> int:
    """Run `words` in a `Seat`, as JSON; its exit code.

    On the machine itself this process becomes the command and does not return: terminal, signals and exit code need
    nobody in between. The values of secrets are in its environment and on no command line.
    """
    interactive = os.isatty(0) and os.isatty(1)
    if seat["container"]:
        from crossfade.platforms.local.runtimes.docker import visit  # noqa: PLC0415  only for containers

        if seat["made"]:
            return visit.attach(seat["container"])
        return visit.execute(seat["container"], words, interactive=interactive)
    shown = {"TERM": os.environ["TERM"]} if interactive and "TERM" in os.environ else {}
    os.chdir(seat["folder"])
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and so would what follows: no end for `| head`
    try:
        os.execvpe(words[0], list(words), {**shown, **seat["env"]})  # noqa: S606  what was asked for
    except (FileNotFoundError, PermissionError) as error:
        raise WrongInputError(
            f"there is no command {words[0]} in the release", f"it was looked for in {seat['env'].get('PATH', '')}"
        ) from error
