"""Volumes of an app's processes: folders below the state directory or of the machine, linked into each release."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.removal import remove

Links = Mapping[str, Path]  # by path in the source: the folder that is found there


def links(service: Service, home: Path) -> Links:
    """Where each volume of the service is; named ones are `home/<app>/<name>`."""
    return {
        volume.target: home / service.app / volume.source if volume.named else Path(volume.source)
        for volume in service.volumes
    }


def prepare(service: Service, home: Path) -> Links:
    """The same, with folders for the named ones. A new one begins with what the source has at its target.

    OSError when the disk is full. Half a copy is never seen: it is made beside and then takes its name.
    """
    found = links(service, home)
    for target, folder in found.items():
        if folder.is_relative_to(home) and not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
            if (own := Path(service.source) / target).is_dir():
                shutil.copytree(own, draft, symlinks=True, dirs_exist_ok=True)
            try:
                draft.rename(folder)
            except OSError:  # somebody was faster, and has files in it
                remove(draft)
                if not folder.is_dir():
                    raise
    return found


def delete(app: str, home: Path) -> list[str]:
    """Remove the folders of an app's named volumes: which these were, as `app/name`. PlatformError if one stays."""
    there = sorted(home.glob(f"{app}/*"))
    for folder in there:
        remove(folder)
        if folder.exists():
            raise PlatformError(f"not all of {folder} could be deleted", "delete it by hand")
    return [f"{app}/{folder.name}" for folder in there]
