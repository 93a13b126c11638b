"""The book of a balancer: what it was told, service by service, kept on disk so that a new controller knows it too."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from crossfade.core.errors import StaleTokenError
from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import HealthCheck, Names, Service
from crossfade.engine.ports.balancer import Exposed
from crossfade.platforms.local.balancers import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service as it was last applied."""

    service: Service  # how it is exposed now
    routing: Routing
    addresses: tuple[tuple[str, str], ...]  # (instance id, host:port), sorted
    token: int
    made_of: tuple[tuple[int, Service], ...]  # how each release wants to be checked and balanced, as it came in
    exposed: bool = True  # False while a first deploy waits for its instances: no listener yet
    backed_as: Routing | None = None  # by whose weights one group stands in for another; None: by `routing`'s
    shown: tuple[int, ...] = ()  # releases that are or were in preview: a visitor of one may still be there

    def stand_ins(self, release: int) -> tuple[TargetGroup, ...]:
        return (self.backed_as or self.routing).stand_ins(release)

    def address(self, instance: str) -> str:
        return dict(self.addresses)[instance]

    def made(self, release: int) -> Service:
        """The service as this release defined it.

        A target group keeps it for life: a new definition would make the balancer build the group anew, and what the
        old one still holds could no longer be counted.
        """
        return dict(self.made_of)[release]

    def has_preview(self, release: int) -> bool:
        """Somebody is led to its preview, or was."""
        return release in self.shown or release == self.routing.preview

    def same(self, other: "Entry") -> bool:
        """Nothing to change between the two: only the token may differ."""
        return replace(self, token=0) == replace(other, token=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingBook:
    """All services of one balancer, by key."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def exposed(self) -> dict[str, Exposed]:
        """What `LoadBalancer.known` says."""
        return {key: Exposed(service=entry.service, token=entry.token) for key, entry in self.entries.items()}

    def afresh(self) -> "RoutingBook":
        """For a balancer's process that nobody has been to yet."""
        return RoutingBook(entries={k: replace(e, shown=()) if e.shown else e for k, e in self.entries.items()})

    def with_entry(self, entry: Entry) -> "RoutingBook":
        return RoutingBook(entries={**self.entries, entry.service.key: entry})

    def without(self, key: str) -> "RoutingBook":
        return RoutingBook(entries={k: e for k, e in self.entries.items() if k != key})


def enter(
    old: Entry | None,
    *,
    service: Service,
    routing: Routing,
    addresses: Mapping[str, str],
    token: int,
    checks: Mapping[int, HealthCheck],
) -> Entry:
    """The entry that follows `old`. StaleTokenError when `old` was made under a newer token."""
    if old is not None and token < old.token:
        raise StaleTokenError(
            f"{service.key}: token {token} was replaced by {old.token}", "another controller took over; let it work"
        )
    service = replace(service, names=Names())  # of each of hundreds it has all others, and no balancer asks for them
    if old is not None and service == old.service:
        service = old.service  # the very same: nobody has to look anew who shares a port with whom
    mine = routing.registered() | routing.draining()
    known = dict(old.made_of) if old else {}
    releases = [group.release for group in routing.groups]
    return Entry(
        service=service,
        routing=routing,
        addresses=tuple(sorted((i, addresses[i]) for i in mine)),
        token=token,
        made_of=tuple((r, known.get(r, replace(service, health=checks.get(r, service.health)))) for r in releases),
        shown=tuple(r for r in releases if r == routing.preview or (old is not None and old.has_preview(r))),
    )


def stages(old: Entry | None, new: Entry) -> tuple[Entry, Entry, Entry]:
    """The way from `old` to `new` on which nobody is ever sent to an instance that is not there.

    First the new instances beside the old, and who stands in for whom before or after, routes as they were; then the
    new routes and nothing else, because clients see that step; then only what is new.
    """
    if old is None:
        return replace(new, exposed=False), new, new
    both = replace(
        new,
        routing=replace(new.routing, groups=_union(old.routing.groups, new.routing.groups)),
        addresses=tuple(sorted((dict(old.addresses) | dict(new.addresses)).items())),
        made_of=tuple(sorted((dict(new.made_of) | dict(old.made_of)).items())),
        shown=tuple(sorted({*old.shown, *new.shown})),
    )
    was = old.routing
    before = replace(both.routing, weights=was.weights, preview=was.preview, pinned=was.pinned)
    both = replace(both, backed_as=_backed(was, both.routing))
    return replace(both, service=old.service, routing=before), both, new


def _backed(was: Routing, now: Routing) -> Routing:
    """By whom a release is backed in the switch: whoever has visitors on either side of it. So a page that came just
    before it finds its script, and one just after it. A release in preview that gets no share yet backs nobody.
    """
    weights = {**dict(was.weights), **dict(now.weights)}
    unseen = {was.preview, now.preview} - weights.keys()
    return Routing(
        groups=tuple(group for group in now.groups if group.release not in unseen),
        weights=tuple(sorted(weights.items())),
        pinned=tuple(sorted({*was.pinned, *now.pinned})),
    )


def _union(old: tuple[TargetGroup, ...], new: tuple[TargetGroup, ...]) -> tuple[TargetGroup, ...]:
    """Who is registered in either stays registered; the rest of both drains."""
    groups = []
    for release in sorted({group.release for group in (*old, *new)}):
        mine = [group for group in (*old, *new) if group.release == release]
        registered = {i for group in mine for i in group.registered}
        draining = {i for group in mine for i in group.draining} - registered
        groups.append(
            TargetGroup(release=release, registered=tuple(sorted(registered)), draining=tuple(sorted(draining)))
        )
    return tuple(groups)


def load(path: Path) -> tuple[RoutingBook, tuple[str, ...]]:
    """The book on disk, an empty one when there is none, and what is to be said of it.

    One that cannot be read is set aside, and the one before it counts: it knows all services but what changed last,
    which their loops put right. Without it the balancer would drop every route until each loop has brought its own.
    """
    try:
        return _read(path), ()
    except FileNotFoundError:
        return RoutingBook(), ()
    except (OSError, ValueError) as error:
        said = files.set_aside(path, error)
    try:
        return _read(_before(path)), (f"{said}; the one before it stays in use",)
    except (OSError, ValueError):
        return RoutingBook(), (f"{said}; every service sends its routes again",)


def save(path: Path, book: RoutingBook) -> None:
    """Write it; the one before is kept beside it, but not where nothing is left: it would bring back what is gone."""
    with contextlib.suppress(OSError):  # the first one has none before it, and a full disk is said below
        _before(path).unlink(missing_ok=True)
        _before(path).hardlink_to(path)
    files.replace(path, _json().dump_json(book).decode())
    if not book.entries:
        with contextlib.suppress(OSError):
            _before(path).unlink(missing_ok=True)


def _read(path: Path) -> RoutingBook:
    return _json().validate_json(path.read_bytes())  # type: ignore[no-any-return]


def _before(path: Path) -> Path:
    return path.with_name(f".{path.name}.before")


@cache
def _json() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  80 ms that only who runs a balancer pays

    return TypeAdapter(RoutingBook)
