"""The facts about this machine that a reader needs to weigh the numbers, and nothing that names it."""

import os
import platform
import subprocess
from pathlib import Path


def facts() -> dict[str, str]:
    """Cores as this process may use them."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))}, {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
    }


def commit() -> str:
    """Of this checkout, with a word where files differ from it."""
    here = Path(__file__).parent
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=, changed"], cwd=here, capture_output=True, check=False
    )
    return said.stdout.decode().strip() or "no commit"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
