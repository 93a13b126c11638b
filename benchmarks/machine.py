"""The facts about this machine that a reader needs to weigh the numbers, and nothing that names it."""

import os
import platform
from pathlib import Path


def facts() -> list[tuple[str, str]]:
    """Cores as this process may use them; load before anything was measured."""
    return [
        ("cores", f"{len(os.sched_getaffinity(0))}, {_processor()}"),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"),
        ("kernel", f"{platform.system()} {platform.release().partition('-')[0]}"),
        ("Python", platform.python_version()),
        ("load before", f"{os.getloadavg()[0]:.1f} over the last minute"),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
