"""A kept build with an account of it, so that a later release can have the same without building it again."""

import hashlib
import json
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes import seal
from crossfade.platforms.local.runtimes.builds.look import Looked
from crossfade.platforms.local.runtimes.seal import Seal, TreeEntry
from crossfade.source.whole import WholeSource

ACCOUNT = "account"  # beside what is kept: what is in a BuildAccount
SEALED = "sealed"  # beside it, the seal by itself: each release that has links to all of it has one to this as well
# Compiled Python names the place of its source, and Python puts that right when it loads it.
_MENDED = ".pyc"
_LINK = "link "  # how a seal begins what it has of a symbolic link


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAccount:
    """`sealed` is the seal of the copy that is kept: that of links to its files as well. `naming` are paths that name
    the place where they were built, and `leads` says where links led that leave it: a virtual environment's to its
    Python.
    """

    inputs: str
    folders: list[str]
    sealed: Seal
    naming: list[str]
    leads: dict[str, str]


class Linked(NamedTuple):
    """What a tree was given of a kept build: the seal of that, and of what the tree has otherwise than the copy.

    Where it was linked ahead, `ahead` is the inode of that folder, and `look` at it is under way.
    """

    shared: Seal
    own: Seal
    ahead: int = 0
    look: Future[Looked | None] | None = None


def inputs(service: Service, contents: Mapping[str, str], env: Mapping[str, str]) -> str:
    """What the build of a service depends on, in a digest: its command, its variables, the PATH, and what it is
    `built_from`, by `contents` of the whole source. Empty where it does not say. WrongInputError for what is not there.
    """
    if not service.built_from or not service.build:
        return ""
    whole = WholeSource.of(Path(service.source), service.also)
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
    sealed, naming, leads = dict[str, TreeEntry](), list[str](), dict[str, str]()
    for path, found, info in seal.walk(folder):
        if stat.S_ISLNK(info.st_mode):
            text = os.readlink(found)  # noqa: PTH115  the text of the link, as it is
            sealed[path] = TreeEntry.of(f"{_LINK}{text}", info)
            if place in os.fsencode(text):
                naming.append(path)
            elif text.startswith("/"):
                leads[path] = os.path.realpath(text)
        elif stat.S_ISREG(info.st_mode):
            held = Path(found).read_bytes()
            sealed[path] = TreeEntry.of(seal.file_content(info.st_mode, hashlib.sha256(held).hexdigest()), info)
            if place in held and not path.endswith(_MENDED):
                naming.append(path)
    return BuildAccount(inputs=built_from, folders=list(_folders(folder)), sealed=sealed, naming=naming, leads=leads)


def fits(made: BuildAccount, folder: Path, old: bytes, new: bytes) -> bool:
    """Whether it can be had at the `new` place: not when links lead elsewhere than they did."""
    return len(old) == len(new) and all(os.path.realpath(f"{folder}/{path}") == to for path, to in made.leads.items())


def link(made: BuildAccount, folder: Path, tree: Path, old: bytes, new: bytes) -> Linked:
    """Bring all of it into a tree, files as links; those that name the `old` place are copies that name the `new`."""
    for path in made.folders:
        os.makedirs(f"{tree}/{path}", exist_ok=True)  # noqa: PTH103  tens of thousands of them
    naming, own = frozenset(made.naming), dict[str, TreeEntry]()
    for path, entry in made.sealed.items():
        if path not in naming:
            there, here = f"{folder}/{path}", f"{tree}/{path}"
            if entry.content.startswith(_LINK):
                os.symlink(entry.content.removeprefix(_LINK), here)  # noqa: PTH211
            else:
                try:
                    os.link(there, here)
                except OSError:  # as many links as the file system allows
                    _renamed(there, here, old, old)
                else:
                    continue
            own[path] = TreeEntry.of(entry.content, os.lstat(here))
    own.update(named_anew(made, folder, tree, old, new).own)
    return Linked(made.sealed, own)


def named_anew(made: BuildAccount, folder: Path, tree: Path, old: bytes, new: bytes) -> Linked:
    """Make those that name the place, also in place of links to them, in a tree that has all others as links."""
    own = dict[str, TreeEntry]()
    for path in made.naming:
        there, here = f"{folder}/{path}", f"{tree}/{path}"
        with suppress(FileNotFoundError):
            os.unlink(here)  # noqa: PTH108
        held = made.sealed[path].content
        if held.startswith(_LINK):
            text = os.fsencode(held.removeprefix(_LINK)).replace(old, new)
            os.symlink(text, here)  # noqa: PTH211
        else:
            _renamed(there, here, old, new)
        info = os.lstat(here)
        own[path] = TreeEntry.of(seal.content(here, info), info)
    return Linked(made.sealed, own)


def write(made: BuildAccount, copy: Path) -> None:
    told = {field.name: getattr(made, field.name) for field in fields(made) if field.name != "sealed"}
    (copy / ACCOUNT).write_bytes(zlib.compress(json.dumps(told).encode(), 1))
    seal.write(made.sealed, copy / SEALED)


def read(copy: Path) -> BuildAccount | None:
    """None when there is none, or one of an earlier crossfade: the build runs once more."""
    sealed = seal.read(copy / SEALED)
    try:
        told = json.loads(zlib.decompress((copy / ACCOUNT).read_bytes()))
        return None if sealed is None else BuildAccount(sealed=sealed, **told)
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
