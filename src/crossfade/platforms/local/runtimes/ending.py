"""The ending of a command, in the one line that verdicts and events show."""

import re
import signal

# dash: `sh: 1: foo: not found`, bash: `sh: line 1: foo: command not found`, busybox: `sh: foo: not found`
NOT_FOUND = re.compile(r"sh: (?:(?:line )?\d+: )?(?:exec: )?(?P<command>.+?): (?:command )?not found$")


def describe(code: int | None, said: str, why: str = "") -> str:
    """What happened and `why`, then the last thing it said. `code` is negative for a signal, None when nobody was there
    to ask.

    "exited with code 3: no such table", "killed by signal 9 (SIGKILL)", "command not found: uvicorn".
    """
    if missing := NOT_FOUND.search(said):
        return f"command not found: {missing['command']}"
    if code is None:
        how = "exited"
    elif code < 0:
        how = f"killed by signal {-code} ({_name(-code)})"
    else:
        how = f"exited with code {code}"
    how = f"{how}, {why}" if why else how
    return f"{how}: {said}" if said else how


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return "SIGRTMIN+"
