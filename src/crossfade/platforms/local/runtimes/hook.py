"""The end of a hook, the same for every runtime of this machine."""

import hashlib
from pathlib import Path

from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.local.runtimes.processes.logs import last_words

TIMED_OUT = 124  # as timeout(1) has it
SHOWN_LINES = 20


def result(code: int | None, complaint: str, log: Path, limit: float) -> HookResult:
    """`code` is None when it did not end within `limit` seconds, negative for a signal, reported as a shell does."""
    said = [last_words(log, SHOWN_LINES), complaint]
    if code is None:
        said.append(f"timed out after {limit:g} s; complete output: {log}")
        code = TIMED_OUT
    text = "\n".join(line for line in said if line)
    return HookResult(code=code if code >= 0 else 128 - code, output=text, digest=_digest(log))


def _digest(log: Path) -> str:
    """Of all that a command wrote; empty when nothing is left of it."""
    try:
        with log.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
