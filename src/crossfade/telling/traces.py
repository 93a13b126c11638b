"""The line of what a program wrote that says why it ended: of a stack trace the error, and not what comes after it."""

import re
from collections.abc import Sequence

LOOKED_AT = 60  # lines; a server may say a few more after a trace before it ends
_AFTER = 15  # lines that may follow a trace which is to blame
_FRAME = re.compile(r"\s*(at \S|\.\.\. \d+ (more|common)|from \S+:\d+:in |#\d+ |- /|[\^~]+$)|\s+\S")
_PYTHON = re.compile(r'Traceback \(most recent call last\):$|\s*File "[^"]+", line \d+')
_AT = re.compile(r"\s+(at \S.*(\(|:\d+)|from \S+:\d+:in |#\d+ \S)")
_NO_HEAD = re.compile(r"(Require stack|Stack trace|\[stacktrace\]|Stack):?$")
_PANIC = re.compile(r"(panic: |fatal error: |PHP Fatal error: |thread '[^']*' panicked at )")
_SPRING = "APPLICATION FAILED TO START"


def telling(said: Sequence[str]) -> str:
    """Of lines that are not empty: the error of a stack trace near the end, else the last line; empty without any."""
    lines = [line for line in said if line.strip()]
    return error_in(said) or (lines[-1].strip() if lines else "")


def error_in(said: Sequence[str]) -> str:
    """The error of a stack trace near the end; empty where there is none."""
    lines = [line.rstrip() for line in said[-LOOKED_AT:] if line.strip()]
    found = [mark for look in (_of_python, _of_frames, _of_panic, _of_spring) if (mark := look(lines))]
    end, error = max(found, default=(0, ""))
    return error.strip() if error and len(lines) - end <= _AFTER else ""


def _of_python(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands behind the frames of the last traceback."""
    begin = next((i for i in range(len(lines) - 1, -1, -1) if _PYTHON.match(lines[i])), None)
    if begin is None:
        return None
    for i in range(begin + 1, len(lines)):
        if not lines[i].startswith((" ", "\t")):
            return i + 1, lines[i]
    return None


def _of_frames(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands before the frames of the last trace of Node, Java, .NET, Ruby or PHP: of causes the innermost."""
    last = next((i for i in range(len(lines) - 1, -1, -1) if _AT.match(lines[i])), None)
    if last is None:
        return None
    for i in range(last, -1, -1):
        if not _FRAME.match(lines[i]) and not _NO_HEAD.match(lines[i]):
            return last + 1, lines[i].removeprefix("Caused by: ")
    return None


def _of_panic(lines: Sequence[str]) -> tuple[int, str] | None:
    """Go and PHP say it in the line; Rust in the one after it."""
    at = next((i for i in range(len(lines) - 1, -1, -1) if _PANIC.match(lines[i])), None)
    if at is None:
        return None
    more = f" {lines[at + 1].strip()}" if lines[at].startswith("thread ") and at + 1 < len(lines) else ""
    return len(lines), f"{lines[at]}{more}"  # goroutines may follow, however many


def _of_spring(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands under `Description:`."""
    if not any(_SPRING in line for line in lines):
        return None
    at = next((i for i in range(len(lines) - 2, -1, -1) if lines[i].strip() == "Description:"), None)
    return None if at is None else (len(lines), lines[at + 1])
