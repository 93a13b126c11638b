"""All ledgers: read from their snapshot and from what the journal has since, so that a start need not add up a year."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from crossfade import __version__, core, engine, strategies
from crossfade.controller.record import pages
from crossfade.core.errors import PlatformError
from crossfade.core.wire import decode, decode_change, encode, encode_change
from crossfade.engine.fold import TELLING, fold
from crossfade.engine.ledger import Ledger, read_release
from crossfade.engine.ports.journal import Event
from crossfade.engine.world import World
from crossfade.paths import open_own

log = logging.getLogger(__name__)

EVERY = 2_000  # lines after which the snapshot is made anew: some 140 deploys, which a start reads in 50 ms
LOOK = 60.0  # seconds between two looks whether so many were written


class Ledgers:
    """What the journal adds up to. It stays the truth: a snapshot that is not of it, whole and ours, is left aside.

    The snapshot is folded from the journal alone, whatever the loops know, and says which line it ends with. Between
    two of them nothing of it is in memory: the loops have ledgers of their own, and what is on disk is read again.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._path = world.snapshot
        self._known: Mapping[str, Ledger] = {}
        self._last: Event | None = None  # the line that is folded last
        self._covered = 0  # the line that the snapshot on disk ends with

    @property
    def kept(self) -> bool:
        """There is a place for a snapshot."""
        return self._path is not None

    async def read(self) -> Mapping[str, Ledger]:
        """The ledgers of all services as the journal has them now, by `app/service`."""
        _rules()  # now: later the files may be those of another crossfade, which was installed over us
        await self._open()
        await self._fold()
        return self._known

    async def keep(self) -> None:
        """Make the snapshot anew whenever enough was written since. It never ends."""
        seen = self._covered
        while True:
            newest = await self._world.journal.read(limit=1, newest=True)
            if newest and newest[0].seq >= seen + EVERY:
                await self.save()
                seen = newest[0].seq
            self._known, self._last = {}, None
            await self._world.clock.sleep(LOOK)

    async def save(self) -> None:
        """Make the snapshot anew, if it would be another. A disk that refuses is told, and keeps nobody from anything.

        What was written since may be for people alone: then there is nothing to add, however much it is.
        """
        if self._last is None:
            await self._open()
        await self._fold()
        if self._path is None or self._last is None or self._last.seq == self._covered:
            return
        try:  # in a thread of its own: 14,000 releases take half a second, and nothing of them changes
            await asyncio.to_thread(_write, self._path, _rules(), self._last, self._known)
        except OSError as error:
            with suppress(OSError):  # half of one is of no use, and takes the last of a full disk
                _beside(self._path).unlink(missing_ok=True)
            log.warning("the snapshot %s was not written: %s", self._path, error.strerror or error)
        self._covered = self._last.seq

    async def _fold(self) -> None:
        after = self._last.seq if self._last else 0
        told = [event async for event in pages(self._world.journal, after=after, kinds=TELLING)]
        try:
            self._known = fold(told, self._known)
        except PlatformError as error:
            raise PlatformError(f"{self._world.journal.called}: {error.cause}", error.way_out) from error
        self._last = told[-1] if told else self._last

    async def _open(self) -> None:
        """Begin with the snapshot, if it is whole, of our rules and of this very journal."""
        if self._path is None:
            return
        try:  # in a thread of its own, as it is written
            says, known = await asyncio.to_thread(_read, self._path)
            line = await self._world.journal.read(after=says["seq"] - 1, limit=1)
            if not line or _line(line[0]) != says:
                raise ValueError("it is of another journal")  # noqa: TRY301  as whatever is wrong with it
            self._known = known
            self._last, self._covered = line[0], line[0].seq
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, LookupError) as error:
            log.info("the snapshot %s is left aside, the journal has everything: %s", self._path, error)


@cache
def _rules() -> str:
    """What ledgers are made by: another crossfade may fold the same lines to something else."""
    digest = sha256(__version__.encode())
    for package in (core, strategies, engine):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _line(event: Event) -> dict[str, Any]:
    return {"seq": event.seq, "at": event.at, "service": event.service, "kind": event.kind}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Ledger]]:
    """The line that it ends with, and the ledgers. ValueError where it is not whole and by our rules."""
    head, _, body = path.read_bytes().partition(b"\n")
    says = json.loads(head)
    if says["rules"] != _rules() or says["digest"] != sha256(body).hexdigest():
        raise ValueError("it is damaged, or of another crossfade")
    return says["line"], {known.service: known for known in map(_ledger, json.loads(body))}


def _write(path: Path, rules: str, last: Event, ledgers: Mapping[str, Ledger]) -> None:
    """Beside and renamed over: seen whole or not at all, whenever we are killed."""
    body = json.dumps([_plain(ledger) for ledger in ledgers.values()], separators=(",", ":")).encode()
    head = json.dumps({"rules": rules, "line": _line(last), "digest": sha256(body).hexdigest()}).encode()
    beside = _beside(path)
    with os.fdopen(open_own(beside, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(head + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _plain(ledger: Ledger) -> dict[str, Any]:
    """As JSON; of a release what differs from the one before it, a tenth of it as a rule."""
    releases: list[dict[str, Any]] = []
    for before, release in zip((None, *ledger.releases), ledger.releases, strict=False):
        if before is None:
            releases.append(encode(release))
        else:
            own = encode_change(replace(release, service=before.service), before)
            releases.append({**own, "service": encode_change(release.service, before.service)})
    return {**encode(replace(ledger, releases=())), "releases": releases}


def _ledger(plain: Mapping[str, Any]) -> Ledger:
    """What `_plain` made; releases share what is the same in them."""
    first, *others = plain["releases"] or [None]
    releases = [] if first is None else [read_release(first)]
    for own in others:
        before = releases[-1]
        service = decode_change(before.service, own["service"])
        releases.append(decode_change(before, {**own, "service": service}))
    return decode(Ledger, {**plain, "releases": tuple(releases)})
