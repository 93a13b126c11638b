"""Images made from programs of this machine, where there is no hub to pull from: programs, libraries, a shell."""

import io
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
PASSWD = "root:x:0:0::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\n"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is in an image: `trees` of this machine, executable `texts` by path, writable `folders`, `applets`."""

    trees: Sequence[Path]
    texts: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    applets: Sequence[str] = ("sh", "test", "cat", "locale", "chown", "mkdir")


def make(repository: str, tag: str, contents: Contents, changes: Sequence[str]) -> None:
    """Import an image of these contents; `changes` are lines of a Dockerfile, such as ENTRYPOINT."""
    import docker

    client = docker.from_env()
    client.api.import_image_from_data(archive(contents), repository=repository, tag=tag, changes=list(changes))
    client.close()


def archive(contents: Contents) -> bytes:
    """The root of such an image, as `docker import` takes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", dereference=True) as tar:
        for path in sorted({*contents.trees, BUSYBOX, *_libraries(contents.trees)}):
            tar.add(path, str(path).lstrip("/"))
        for name, text in {"etc/passwd": PASSWD, **contents.texts}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
        for folder in contents.folders:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o777, 999, 999
            tar.addfile(entry)
        for applet in contents.applets:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return made.getvalue()


def _libraries(trees: Iterable[Path]) -> set[Path]:
    programs = [one for tree in trees for one in (tree.glob("bin/*") if tree.is_dir() else [tree])]
    found: set[Path] = set()
    for program in programs:
        told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
        found |= {Path(word) for word in told.split() if word.startswith("/")}
    return found
