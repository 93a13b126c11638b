"""`python -m crossfade.platforms.local.static --folder dist`, at $PORT of loopback or at $CROSSFADE_SOCKET."""

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """Serve until SIGTERM; 2 with a sentence when there is nothing to serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--fallback", default="")
    parser.add_argument("--immutable", action="append", default=[])
    asked = parser.parse_args()
    if why := _nothing(asked.folder, asked.fallback):
        sys.stderr.write(f"{why}\n")
        return 2
    import uvicorn  # noqa: PLC0415  what is wrong is said at once

    from crossfade.platforms.local.static.site import StaticSite  # noqa: PLC0415  as above

    site = StaticSite(asked.folder, asked.fallback, tuple(asked.immutable))
    uvicorn.run(
        site,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "0")),
        uds=os.environ.get("CROSSFADE_SOCKET"),  # in place of the port
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=75,
        server_header=False,
    )
    return 0


def _nothing(folder: Path, fallback: str) -> str:
    if not folder.is_dir():
        return f"{folder} is not a folder of this release: what git ignores is not in it, unless `build` makes it"
    if fallback and not (folder / fallback).is_file():
        return f"{folder} has no {fallback}, which `static.fallback` names"
    return ""


if __name__ == "__main__":
    sys.exit(main())
