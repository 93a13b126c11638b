"""Writes the source of one release of feedback into a directory: `python materialise.py v3 /tmp/feedback-v3`."""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
VERSIONS = ("v1", "v2", "v3", "v4", "v5")


def materialise(version: str, destination: Path) -> Path:
    """Makes `destination` hold the source tree of `version`, in place of what was there before; returns `destination`.

    v1 is this folder. v2 lays its files over v1, and the bad releases lay theirs over v2, the last good one.
    Only the application's own files are written: an `.git` directory or a database in `destination` stays.

    Raises:
        ValueError: there is no such version.
    """
    if version not in VERSIONS:
        raise ValueError(f"no version {version}: there are {', '.join(VERSIONS)}")
    shutil.rmtree(destination / "feedback", ignore_errors=True)
    layers = {"v1": [], "v2": ["v2"]}.get(version, ["v2", version])
    for source in [HERE, *(HERE / "releases" / layer for layer in layers)]:
        shutil.copytree(
            source / "feedback",
            destination / "feedback",
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )
    shutil.copy2(HERE / "crossfade.yaml", destination)
    return destination


if __name__ == "__main__":
    print(materialise(sys.argv[1], Path(sys.argv[2])))  # noqa: T201 - the path, for the shell
