"""The directory of a machine's balancer: what another kind of balancer left there is nothing that this one can read."""

import json
import shutil
from pathlib import Path

from crossfade.adapters import BALANCERS
from crossfade.core.errors import RefusedError
from crossfade.paths import BOOK

_KIND = "kind"  # names the balancer whose directory it is


def move_in(directory: Path, balancer: str) -> None:
    """Make the directory this balancer's own; one of another kind is kept beside it, as `balancer.nginx`.

    RefusedError while services are still behind that one.
    """
    kind = directory / _KIND
    before = kind.read_text(encoding="utf-8", errors="replace").strip() if kind.exists() else ""
    if before not in BALANCERS:  # a power cut may have damaged it
        before = ""
    if before not in {"", balancer}:
        if _serves(directory):
            raise RefusedError(
                f"services are still behind {before}, which {balancer} would have to take over",
                "`crossfade down --all` first, or go on with it",
            )
        kept = directory.with_name(f"{directory.name}.{before}")
        shutil.rmtree(kept, ignore_errors=True)
        directory.rename(kept)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if before != balancer:
        kind.write_text(f"{balancer}\n", encoding="utf-8")


def _serves(directory: Path) -> bool:
    try:
        return bool(json.loads((directory / BOOK).read_bytes())["entries"])
    except (OSError, ValueError, LookupError, TypeError):
        return False
