"""Memory: how much more may be taken here, and what limits that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossfade.platforms.local.kernel import cgroups

_ENOUGH = 2**63  # where nobody says
_LIMITS = {"memory.max": "MemoryMax", "memory.high": "MemoryHigh", "memory.limit_in_bytes": "memory.limit_in_bytes"}
_USED = ("memory.current", "memory.usage_in_bytes")
_GIVEN_BACK = ("total_inactive_file ", "inactive_file ")  # by version 1, with those below it; by version 2


@dataclass(frozen=True, slots=True)
class MemoryLeft:
    """So many more bytes, and the limit that says so, as it is raised; empty when it is what the machine has."""

    bytes: int
    limit: str = ""


def left(groups: Iterable[Path] | None = None) -> MemoryLeft:
    """By the tightest of the machine and of the cgroups that hold for us: the kernel ends who passes any of them."""
    found = cgroups.ours("memory") if groups is None else groups
    return min([_of_machine(), *_of_groups(found)], key=lambda one: one.bytes)


def _of_machine() -> MemoryLeft:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return MemoryLeft(_ENOUGH)
    found = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return MemoryLeft(next(found, _ENOUGH))


def _of_groups(groups: Iterable[Path]) -> Iterator[MemoryLeft]:
    for group in groups:
        used = next((count for name in _USED if (count := cgroups.number(group / name)) is not None), 0)
        for name, limit in _LIMITS.items():
            if (most := cgroups.number(group / name)) is not None:
                yield MemoryLeft(max(0, most - max(0, used - _given_back(group))), limit)


def _given_back(group: Path) -> int:
    """Bytes of files that were read and not looked at since: the kernel takes these back before it ends anyone."""
    try:
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for word in _GIVEN_BACK for line in lines if line.startswith(word)), 0)
