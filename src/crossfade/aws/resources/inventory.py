"""All resources of an environment, found by type, by address, and by what they refer to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossfade.aws.resources.resource import Resource


class Inventory:
    """Each question takes the same time however many resources there are."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.all = tuple(resources)
        self._at = {resource.address: resource for resource in self.all}
        self._of: dict[str, list[Resource]] = defaultdict(list)
        self._to: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.all:
            self._of[resource.type].append(resource)
            for address in {address for addresses in resource.refers.values() for address in addresses}:
                self._to[address].append(resource)

    def of(self, *types: str) -> Iterator[Resource]:
        for kind in types:
            yield from self._of.get(kind, ())

    def apart(self, *types: str) -> Iterator[tuple[Resource, ...]]:
        """Those of these types by region, for each has prices of its own."""
        found: dict[str | None, list[Resource]] = defaultdict(list)
        for resource in self.of(*types):
            found[resource.region].append(resource)
        return map(tuple, found.values())

    def at(self, address: str) -> Resource | None:
        return self._at.get(address)

    def referred(self, resource: Resource, key: str, *types: str) -> tuple[Resource, ...]:
        """What the value under `key` comes from, only of these types."""
        found = (self._at.get(address) for address in resource.refers.get(key, ()))
        return tuple(each for each in found if each is not None and (not types or each.type in types))

    def referring(self, resource: Resource, *types: str) -> tuple[Resource, ...]:
        """What mentions it in any of its values, only of these types."""
        return tuple(each for each in self._to.get(resource.address, ()) if not types or each.type in types)


def first(values: Mapping[str, Any], *keys: str) -> Any:
    """A value inside of nested blocks, which a plan writes as lists of one: ebs, volume_size."""
    here: Any = values
    for key in keys:
        if isinstance(here, list | tuple):
            here = here[0] if here else None
        if not isinstance(here, Mapping):
            return None
        here = here.get(key)
    return here


def blocks(values: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    """All blocks of one name."""
    found = values.get(key)
    return tuple(each for each in found if isinstance(each, Mapping)) if isinstance(found, list | tuple) else ()
