"""The slots of a service: backends that are there before a release takes one, because a new one would be a reload."""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crossfade.platforms.local.balancers import files

_EIGHT = 8  # releases of one service at a time: the old, the new, one kept warm, and those that were superseded


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """By service: release -> number of its backend, and how many backends there are."""

    taken: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def of(self, service: str) -> Mapping[int, int]:
        return self.taken.get(service, {})

    def size(self, service: str) -> int:
        return self.sizes.get(service, _EIGHT)

    def with_releases(self, service: str, releases: Iterable[int]) -> "Slots":
        """These releases have one each: who has one keeps it, a new one gets the lowest that is free.

        Twice as many are made when they do not suffice, and never fewer again.
        """
        wanted = sorted(set(releases))
        mine = {release: slot for release, slot in self.of(service).items() if release in wanted}
        size = self.size(service)
        while size < len(wanted):
            size *= 2
        free = (slot for slot in range(size) if slot not in mine.values())
        mine |= {release: next(free) for release in wanted if release not in mine}
        return replace(self, taken={**self.taken, service: mine}, sizes={**self.sizes, service: size})

    def only(self, services: Container[str]) -> "Slots":
        """Those of services that are gone are given up."""
        return Slots(
            taken={key: mine for key, mine in self.taken.items() if key in services},
            sizes={key: size for key, size in self.sizes.items() if key in services},
        )


def backend(service: str, slot: int) -> str:
    """`shop.web.3`; HAProxy allows no slash in a name."""
    return f"{service.replace('/', '.')}.{slot}"


def load(path: Path) -> Slots:
    """Those on disk; none when there is no file, or none that can be read: then each gets another, by a reload."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        taken = {key: {int(release): slot for release, slot in mine.items()} for key, mine in found["taken"].items()}
        return Slots(taken=taken, sizes=found["sizes"])
    except FileNotFoundError:
        return Slots()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        files.set_aside(path, error)
        return Slots()


def save(path: Path, slots: Slots) -> None:
    files.replace(path, json.dumps({"taken": slots.taken, "sizes": slots.sizes}))
