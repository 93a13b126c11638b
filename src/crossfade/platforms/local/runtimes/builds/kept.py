"""What a build left, with an account of it, so that a later release can have the same without building it again."""

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes import seal
from crossfade.source.whole import Whole

# Compiled Python names the place of its source, and Python puts that right when it loads it.
_MENDED = ".pyc"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAccount:
    """`contents` as a seal has them, by path; `naming` are those that name the place where they were built, and `leads`
    says where links led that leave it: a virtual environment's to its Python.
    """

    inputs: str
    folders: list[str]
    contents: dict[str, str]
    naming: list[str]
    leads: dict[str, str]


def inputs(service: Service, contents: Mapping[str, str], env: Mapping[str, str]) -> str:
    """What the build of a service depends on, in a digest: its command, its variables, the PATH, and what it is
    `built_from`, by `contents` of the whole source. Empty where it does not say. WrongInputError for what is not there.
    """
    if not service.built_from or not service.build:
        return ""
    whole = Whole.of(Path(service.source), service.also)
    digest = hashlib.sha256(json.dumps([service.build, service.env, env.get("PATH", ""), whole.within]).encode())
    for one in service.built_from:
        path = whole.inside(one)
        found = sorted(f"{held} {name}\0" for name, held in contents.items() if f"{name}/".startswith(f"{path}/"))
        if not found:
            raise WrongInputError(
                f"{service.key} is built from {one}, which its releases do not have",
                "correct `built_from`, or let git have the file: what it ignores is in no release",
            )
        digest.update(os.fsencode(f"from {one}\0{''.join(found)}"))
    return digest.hexdigest()


def account(folder: Path, built_from: str, place: bytes) -> BuildAccount:
    """Of all in a folder, made read-only: releases share the files. `place` is where it was built."""
    seal.protect(folder)
    contents, naming, leads = dict[str, str](), list[str](), dict[str, str]()
    for path, found, info in seal.walk(folder):
        if stat.S_ISLNK(info.st_mode):
            text = os.readlink(found)  # noqa: PTH115  the text of the link, as it is
            contents[path] = f"link {text}"
            if place in os.fsencode(text):
                naming.append(path)
            elif text.startswith("/"):
                leads[path] = os.path.realpath(text)
        elif stat.S_ISREG(info.st_mode):
            held = Path(found).read_bytes()
            contents[path] = seal.file_content(info.st_mode, hashlib.sha256(held).hexdigest())
            if place in held and not path.endswith(_MENDED):
                naming.append(path)
    return BuildAccount(
        inputs=built_from, folders=list(_folders(folder)), contents=contents, naming=naming, leads=leads
    )


def fits(made: BuildAccount, folder: Path, old: bytes, new: bytes) -> bool:
    """Whether it can be had at the `new` place: not when links lead elsewhere than they did."""
    return len(old) == len(new) and all(os.path.realpath(f"{folder}/{path}") == to for path, to in made.leads.items())


def link(made: BuildAccount, folder: Path, tree: Path, old: bytes, new: bytes) -> Mapping[str, str]:
    """Bring all of it into a tree, files as links, those that name the `old` place as copies that name the `new` one.

    Returns the contents by path.
    """
    for path in made.folders:
        os.makedirs(f"{tree}/{path}", exist_ok=True)  # noqa: PTH103  tens of thousands of them
    naming = frozenset(made.naming)
    for path, held in made.contents.items():
        if path not in naming:
            there, here = f"{folder}/{path}", f"{tree}/{path}"
            if held.startswith("link "):
                os.symlink(held.removeprefix("link "), here)  # noqa: PTH211
                continue
            try:
                os.link(there, here)
            except OSError:  # as many links as the file system allows
                _renamed(there, here, old, old)
    return named_anew(made, folder, tree, old, new)


def named_anew(made: BuildAccount, folder: Path, tree: Path, old: bytes, new: bytes) -> Mapping[str, str]:
    """Make those that name the place, also in place of links to them, in a tree that has all others.

    Returns the contents by path, as far as they are known.
    """
    brought = dict(made.contents)
    for path in made.naming:
        there, here = f"{folder}/{path}", f"{tree}/{path}"
        with suppress(FileNotFoundError):
            os.unlink(here)  # noqa: PTH108
        if brought[path].startswith("link "):
            text = os.fsencode(brought[path].removeprefix("link ")).replace(old, new)
            os.symlink(text, here)  # noqa: PTH211
            brought[path] = f"link {os.fsdecode(text)}"
        else:
            del brought[path]
            _renamed(there, here, old, new)
    return brought


def write(made: BuildAccount, path: Path) -> None:
    path.write_bytes(zlib.compress(json.dumps(asdict(made)).encode(), 1))


def read(path: Path) -> BuildAccount | None:
    try:
        return BuildAccount(**json.loads(zlib.decompress(path.read_bytes())))
    except (OSError, ValueError, TypeError, zlib.error):
        return None


def _folders(folder: Path) -> Iterator[str]:
    """Below it, each after the one it is in."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(f"{parent}/{name}"):  # noqa: PTH114
                yield os.path.relpath(f"{parent}/{name}", folder)


def _renamed(there: str, here: str, old: bytes, new: bytes) -> None:
    """Copy a file, with another name of the place in it."""
    original = Path(there)
    info = original.stat()
    Path(here).write_bytes(original.read_bytes().replace(old, new))
    os.chmod(here, stat.S_IMODE(info.st_mode))  # noqa: PTH101
    os.utime(here, ns=(info.st_atime_ns, info.st_mtime_ns))
