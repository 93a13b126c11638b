"""Caches of builds: folders such as node_modules and .venv, copied in before a build and out after it.

Copies, for a release's files are its own: a build that changes what it found changes no other release. Where nothing
that a build depends on has changed none is run, and what it left is linked into the release, read-only as all of it.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.paths import at_home, is_at_home
from crossfade.platforms.local.runtimes import seal
from crossfade.platforms.local.runtimes.builds import ahead, kept
from crossfade.platforms.local.runtimes.builds.kept import BuildAccount, Linked
from crossfade.platforms.local.runtimes.builds.look import Looked, look
from crossfade.platforms.local.runtimes.seal import Seal
from crossfade.removal import remove
from crossfade.source.whole import WholeSource

NEWEST = "newest"  # a link to the whole copy that was made last
HOME = "tree-was"  # where that was built, for what it holds may name the place
KEPT = "kept"


class Caches:
    """`<state>/caches/<key>/`: for each source and build of an app the newest whole copy of what its builds keep.

    Copying out is under a shared lock, taking the place of the older copy under one of its own: builds of several
    releases at the same time find a whole copy or none, and the last one that is done stays.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._looks = dict[Path, Future[Looked | None]]()  # by home, of deploys that are under way
        self._looker = ThreadPoolExecutor(thread_name_prefix="look")
        self._reading = threading.Lock()
        self._read: tuple[Path, BuildAccount] | None = None  # the copy whose account was read last: the next asks again

    def bring(self, service: Service, tree: Path) -> list[str]:
        """Copy what is kept into a tree that is about to be built; which paths. What the source has is left alone.

        An absolute path in it that names the tree it was built in names this one then: both are equally long.
        """
        wanted = inside(service)
        if not wanted or not self._home(service).is_dir():
            return []
        brought = []
        with self._locked(service, fcntl.LOCK_SH):
            newest = self._home(service) / NEWEST
            for path in wanted:
                there, here = newest / KEPT / path, tree / path
                if there.is_dir() and not here.exists():
                    here.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copytree(there, here, symlinks=True)
                    brought.append(path)
            if brought:
                old, new = (newest / HOME).read_bytes(), os.fsencode(tree)
                for path in brought:
                    _rename_inside(tree / path, old, new)
        return brought

    def link(self, service: Service, tree: Path, inputs: str) -> Linked | None:
        """Link all that a build of exactly these `inputs` left into a tree, and its seal beside the tree.

        None when that is not kept any more, or would not work here: then the build has to run.
        """
        newest = self._home(service) / NEWEST
        if not newest.is_dir():
            return None
        with self._locked(service, fcntl.LOCK_SH):
            copy = newest.resolve()
            account = self._account(copy)
            if account is None or account.inputs != inputs or any((tree / path).exists() for path in inside(service)):
                return None
            old, new = (copy / HOME).read_bytes(), os.fsencode(tree)
            if not kept.fits(account, copy / KEPT, old, new):
                return None
            _share(copy / kept.SEALED, tree.with_name(kept.SEALED))
            with ahead.taken(self._home(service), copy, KEPT) as linked:
                if linked is not None:
                    for path in inside(service):
                        (tree / path).parent.mkdir(parents=True, exist_ok=True)
                        (linked / path).rename(tree / path)
                    made = kept.named_anew(account, copy / KEPT, tree, old, new)
                    look = self._looks.pop(self._home(service), None)
                    return made._replace(ahead=linked.parent.stat().st_ino, look=look)
            return kept.link(account, copy / KEPT, tree, old, new)

    def begin_look(self, service: Service) -> None:
        """Have what is linked ahead for the next release looked at beside what a deploy does until that is launched."""
        if service.build and service.built_from:
            self._looks[self._home(service)] = self._looker.submit(self._look, service)

    def _look(self, service: Service) -> Looked | None:
        newest, home = self._home(service) / NEWEST, self._home(service)
        if not (newest / kept.ACCOUNT).exists() or (account := self._account(newest.resolve())) is None:
            return None
        return look(home / ahead.AHEAD, KEPT, inside(service), account.sealed, frozenset(account.naming))

    def _account(self, copy: Path) -> BuildAccount | None:
        """Of tens of thousands of files, which take longer to read than an app to start. A copy never changes."""
        with self._reading:  # who looks and who links want it at the same time
            if self._read is None or self._read[0] != copy:
                account = kept.read(copy)
                self._read = (copy, account) if account else None
            return self._read[1] if self._read else None

    def keep(self, service: Service, tree: Path, inputs: str = "") -> None:
        """Keep what a build that went well has made of these folders. PlatformError when there is no room for it."""
        found = [path for path in inside(service) if (tree / path).is_dir() and not (tree / path).is_symlink()]
        if not found:
            return
        home = self._home(service)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = Path(tempfile.mkdtemp(prefix="copy-", dir=home))
        try:
            for path in found:
                (copy / KEPT / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(tree / path, copy / KEPT / path, symlinks=True)
            (copy / HOME).write_bytes(os.fsencode(tree))
            if inputs and len(found) == len(inside(service)):
                kept.write(kept.account(copy / KEPT, inputs, os.fsencode(tree)), copy)
        except (OSError, shutil.Error) as error:
            remove(copy)
            what = f"{', '.join(found)} of {service.key}"
            raise PlatformError(f"{what} cannot be kept for the next build: {error}") from error
        with self._locked(service, fcntl.LOCK_EX):
            old = (home / NEWEST).resolve()
            link = home / f".{copy.name}"
            link.symlink_to(copy.name)
            link.replace(home / NEWEST)
        # Whoever used it did so under the lock; the next deploy need not wait until it is gone.
        if old.parent == home.resolve() and old.is_dir():
            remove(old)

    async def prepare(self, service: Service) -> None:
        """Link what is kept for the release after this one, where builds say what they depend on."""
        newest = self._home(service) / NEWEST
        if (newest / kept.ACCOUNT).exists():
            await ahead.prepare(self._home(service), newest.resolve(), KEPT)

    def sealed(self, path: Path) -> Seal | None:
        """What a release shares with a copy, by its link to the seal of that. None: it shares nothing."""
        with suppress(OSError):  # the copy went, or was never shared
            if self._read and path.samefile(self._read[0] / kept.SEALED):
                return self._read[1].sealed
        return seal.read(path)

    def forget(self, service: Service) -> None:
        """Keep nothing: the next build makes everything anew."""
        newest = self._home(service) / NEWEST
        if not newest.is_dir():
            return
        with self._locked(service, fcntl.LOCK_EX):
            remove(newest.resolve())
            newest.unlink(missing_ok=True)

    def _home(self, service: Service) -> Path:
        told = "\0".join((service.app, service.source, service.build, *service.cache, *service.also))
        return self._directory / f"{service.app}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @contextmanager
    def _locked(self, service: Service, how: int) -> Iterator[None]:
        lock = os.open(self._home(service) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, how)
            yield
        finally:
            os.close(lock)


def prepare(service: Service, home: str) -> None:
    """Make folders outside of the source that builds share, such as a package manager's own cache, in the `home` that a
    build has.
    """
    for path in service.cache:
        if is_at_home(path):
            Path(at_home(path, home)).mkdir(parents=True, exist_ok=True)


def _share(there: Path, here: Path) -> None:
    try:
        here.hardlink_to(there)
    except OSError:  # as many links as the file system allows
        shutil.copy(there, here)


def inside(service: Service) -> list[str]:
    """The folders that are kept, from the root of the tree."""
    whole = WholeSource.of(Path(service.source), service.also)
    return [whole.inside(path) for path in service.cache if not is_at_home(path)]


def _rename_inside(folder: Path, old: bytes, new: bytes) -> None:
    """Put another name of the tree into files and links that have the old one; of other lengths nothing is touched."""
    if old == new or len(old) != len(new):
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                target = os.fsencode(path.readlink())
                if old in target:
                    path.unlink()
                    path.symlink_to(os.fsdecode(target.replace(old, new)))
            elif path.is_file():
                content = path.read_bytes()
                if old in content:
                    mode = path.stat().st_mode
                    path.chmod(0o600)
                    path.write_bytes(content.replace(old, new))
                    path.chmod(mode)
