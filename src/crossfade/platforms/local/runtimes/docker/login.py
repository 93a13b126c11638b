"""The logins that `docker login` left, of whoever deploys: read anew each time, for they come and go."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import APIClient


def use(api: "APIClient", env: Mapping[str, str]) -> None:
    """Have the daemon asked with the logins in `$DOCKER_CONFIG` or `~/.docker` of this environment."""
    folder = env.get("DOCKER_CONFIG") or (f"{env['HOME']}/.docker" if "HOME" in env else "")
    there = f"{folder}/config.json"
    api.reload_config(there if folder and Path(there).is_file() else None)
