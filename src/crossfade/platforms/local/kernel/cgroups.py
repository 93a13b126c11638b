"""Our cgroup and all above it, as far as they are to be seen: each may limit what we start."""

from collections.abc import Iterator
from pathlib import Path

_MEMBERSHIP = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")


def ours(controller: str, membership: Path = _MEMBERSHIP, mounted: Path = _MOUNTED) -> Iterator[Path]:
    """The folders of those that this controller (`pids`, `memory`) is counted in: of the one hierarchy of version 2,
    and of its own of version 1.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0" or controller in controllers.split(","):
            root = mounted / controller if controllers else mounted
            mine = root / path.lstrip("/")
            yield from (group for group in (mine, *mine.parents) if group.is_relative_to(root))


def number(path: Path) -> int | None:
    """What the file says; None when there is none, or it says `max`."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
