"""Processor time of each service's instances, as this machine counts it."""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.rehearse import containers

_TICK = os.sysconf("SC_CLK_TCK")
_USER, _CHILDREN_SYSTEM = 11, 15  # of /proc/PID/stat, counted after the command's name


def used(state: Path, *, with_containers: bool) -> Mapping[str, float]:
    """Seconds so far by service, `app/service`, of all instances that this state directory runs."""
    found: defaultdict[str, float] = defaultdict(float)
    mark = os.fsencode(state)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):  # it ended, or is another user's
            told = dict(pair.split(b"=", 1) for pair in (entry / "environ").read_bytes().split(b"\0") if b"=" in pair)
            if b"CROSSFADE_INSTANCE" not in told or mark not in os.fsencode((entry / "cwd").readlink()):
                continue
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            key = f"{os.fsdecode(told[b'CROSSFADE_APP'])}/{os.fsdecode(told[b'CROSSFADE_SERVICE'])}"
            found[key] += sum(map(int, fields[_USER:_CHILDREN_SYSTEM])) / _TICK
    if with_containers:
        for key, seconds in containers.processor(state).items():
            found[key] += seconds
    return found
