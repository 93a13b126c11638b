"""A balancer's process: nobody's child, on record before it begins, and ended with all that it left behind."""

import contextlib
import resource
import signal
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from crossfade.platforms.local.balancers.known import Known, gone

# A parent's end must not be the balancer's (Envoy has the kernel send it SIGTERM then: PR_SET_PDEATHSIG). So its parent
# is a shell, and is gone before it begins: that waits for our word, which we give after the shell has ended.
_ORPHAN = 'exec 3<&0; { read -r go <&3 && exec "$0" "$@" 3<&- </dev/null >&2; } & echo $!'


def spawn(
    command: Sequence[str],
    directory: Path,
    *,
    log: str,
    remember: Callable[[Known], None],
    files: int | None = None,
    output: str = "",
) -> Known:
    """A process in a session of its own that works in `directory`. It begins when `remember` has put it on record.

    So none is ever left unknown. `log` and `output` are names of files there: what it says, and what it writes to
    standard output where that is something else. It may have `files` open, or as many as the machine allows.
    """
    script = _ORPHAN.replace(">&2", f">>{output}") if output else _ORPHAN
    with (
        (directory / log).open("ab") as said,
        subprocess.Popen(
            ["/bin/sh", "-c", script, *command],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            env={},  # nothing of ours: an environment is where secrets travel
        ) as parent,
    ):
        pid = int(parent.stdout.readline()) if parent.stdout else 0
        parent.wait()
        known = Known.of(pid)
        remember(known)
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        allowed = hard if files is None else files if hard == resource.RLIM_INFINITY else min(hard, files)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (allowed, hard))
        parent.communicate(b"go\n")
    return known


async def end(everyone: Iterable[Known], limit: float) -> None:
    """SIGTERM in the order given, and after `limit` seconds SIGKILL: gone, all of them."""
    known = tuple(everyone)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in known:
            one.signal(number)
        if await gone(known, limit):
            return


class Log:
    """What the process says of itself, in a file that only grows."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def size(self) -> int:
        with contextlib.suppress(OSError):
            return self.path.stat().st_size
        return 0

    def after(self, offset: int) -> list[str]:
        """Its lines from `offset` on."""
        with contextlib.suppress(OSError), self.path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace").splitlines()
        return []
