"""A limit of CPU for an instance and all that it starts: a cgroup of its own, where we may make one.

That is below an ancestor of ours that hands the controller `cpu` on and that we may write to: root's, or one that was
delegated to the user, as systemd does (`Delegate=cpu`).
"""

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

_PERIOD = 100_000  # microseconds; of these an instance with 0.5 cores has 50,000
_LEAST = 1_000  # the kernel takes no less


class Cpu:
    """`state` tells our cgroups from another controller's; `root` is where cgroups are, `own` says in which we are."""

    def __init__(self, state: Path, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> None:
        self._prefix = f"crossfade-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}-"
        self._root = root
        self._own = own

    def why_not(self, cores: float | None) -> str:
        """Why a process gets no such limit, in a sentence; empty when it does or nobody asked."""
        if cores is None or self._base() is not None:
            return ""
        if not any((group / "cgroup.subtree_control").is_file() for group in self._ancestors()):
            return f"resources.cpu {cores:g} is not kept: this machine has no cgroups of version 2"
        return (
            f"resources.cpu {cores:g} is not kept: no cgroup (version 2) with the controller cpu is ours to divide; "
            "run as root, or have systemd delegate one (Delegate=cpu in user@.service)"
        )

    def enter(self, instance: str, cores: float | None) -> Path | None:
        """Where a process writes its pid to be limited; None where there is no limit.

        Raises OSError when the kernel does not take it.
        """
        base = self._base() if cores is not None else None
        if cores is None or base is None:
            return None
        group = base / f"{self._prefix}{instance}"
        group.mkdir(exist_ok=True)
        (group / "cpu.max").write_text(f"{max(_LEAST, round(cores * _PERIOD))} {_PERIOD}", encoding="ascii")
        return group / "cgroup.procs"

    def sweep(self, instances: Collection[str]) -> None:
        """Remove the cgroups of instances that are gone; one in which something still runs stays until it does not."""
        base = self._base()
        for group in base.glob(f"{self._prefix}*") if base else ():
            if group.name.removeprefix(self._prefix) not in instances:
                with suppress(OSError):
                    group.rmdir()

    def _base(self) -> Path | None:
        return next((group for group in self._ancestors() if self._hands_on(group)), None)

    def _ancestors(self) -> Iterator[Path]:
        """From the one above ours: a cgroup with processes, as ours is one, can hand nothing on."""
        with suppress(OSError):
            for line in self._own.read_text(encoding="utf-8").splitlines():
                if line.startswith("0::/"):
                    ours = self._root / line.removeprefix("0::/")
                    yield from (above for above in ours.parents if above.is_relative_to(self._root))
                    if ours == self._root:
                        yield ours

    @staticmethod
    def _hands_on(group: Path) -> bool:
        try:
            handed = (group / "cgroup.subtree_control").read_text(encoding="ascii").split()
        except OSError:
            return False
        return "cpu" in handed and os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK)
