"""The region of each resource of a plan.

A resource is where its own `region` says, and else where its provider works. That is a constant or a variable in the
provider's block. A local value, or what the shell says, is not in a plan; then zones and ARNs of
what the same provider makes tell it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossfade.aws.resources.written import part

REGION = re.compile(r"(?:[a-z]{2}|eusc)(?:-[a-z]+)+-\d")
_ZONE = re.compile(rf"({REGION.pattern})[a-z]")
_ARN = re.compile(rf"arn:aws[\w-]*:[\w-]+:({REGION.pattern}):")
_VARIABLE = re.compile(r"var\.([\w-]+)")
_DEFAULT = "aws"

# A resource as a plan has it, with the key of its provider: "aws", "aws.seoul", "module.edge:aws".
Planned = tuple[str, Mapping[str, Any]]


class Regions:
    """Regions by provider. None is one that the plan does not tell."""

    def __init__(self, document: Mapping[str, Any], planned: Iterable[Planned]) -> None:
        configuration = document.get("configuration") or {}
        self._providers: Mapping[str, Any] = configuration.get("provider_config") or {}
        self._root: Mapping[str, Any] = configuration.get("root_module") or {}
        self._variables: Mapping[str, Any] = document.get("variables") or {}
        self._planned = list(planned)
        self._known: dict[str, str | None] = {}
        self._blocks: dict[str, str | None] = {}
        self._seen: Mapping[str, str] | None = None

    @property
    def home(self) -> str | None:
        """Where the provider without an alias works, else where the first works whose region is known."""
        named = (key for key in self._providers if self._providers[key].get("name", key.partition(".")[0]) == _DEFAULT)
        keys = dict.fromkeys([_DEFAULT, *sorted(named, key=lambda key: "." in key), *(key for key, _ in self._planned)])
        return next(filter(None, map(self.of, keys)), None)

    def of(self, provider: str) -> str | None:
        """Where a provider works."""
        key = self._defined(provider)
        if key not in self._known:
            self._known[key] = self._written(key) or self._evident().get(key)
        return self._known[key]

    def at(self, provider: str, values: Mapping[str, Any]) -> str | None:
        """Where a resource is."""
        own = values.get("region")
        if isinstance(own, str) and REGION.fullmatch(own):
            return own
        return self._written(self._defined(provider)) or _of_zone(values) or self.of(provider)

    def _defined(self, provider: str) -> str:
        """The provider of the innermost module that defines one: older plans name a module's for its parent's."""
        module, _, name = provider.rpartition(":")
        while module:
            if f"{module}:{name}" in self._providers:
                return f"{module}:{name}"
            module = module.rpartition(".module.")[0]
        return name

    def _written(self, key: str) -> str | None:
        """As the provider's block says it, when that is a constant or a variable."""
        if key not in self._blocks:
            self._blocks[key] = self._read(key)
        return self._blocks[key]

    def _read(self, key: str) -> str | None:
        block = self._providers.get(key)
        if not isinstance(block, Mapping):
            return None
        path = tuple(re.findall(r"module\.([\w-]+)", block.get("module_address", "")))
        expression = (block.get("expressions") or {}).get("region") or {}
        found = list(self._values(path, expression))
        return next(filter(None, map(_region, found)), None) or _chosen(found)

    def _values(self, path: tuple[str, ...], expression: Mapping[str, Any], rest: str = "") -> Iterator[Any]:
        """What may be its value; `rest` is what follows in the reference to it: `.region`, `["primary"]`."""
        yield part(expression.get("constant_value"), rest)
        for reference in expression.get("references", ()):
            match = _VARIABLE.match(reference)
            if match is None:
                continue
            name, further = match[1], reference[match.end() :] + rest
            if not path:
                yield part((self._variables.get(name) or {}).get("value"), further)
            else:
                call = self._call(path)
                yield from self._values(path[:-1], call.get("expressions", {}).get(name) or {}, further)
                yield part((call.get("module", {}).get("variables", {}).get(name) or {}).get("default"), further)

    def _call(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """The call of a module in its parent."""
        call: Mapping[str, Any] = {"module": self._root}
        for name in path:
            call = call.get("module", {}).get("module_calls", {}).get(name, {})
        return call

    def _evident(self) -> Mapping[str, str]:
        """What zones, and else ARNs, say of each provider. An ARN may be that of something elsewhere, a zone is not."""
        if self._seen is None:
            zones: dict[str, Counter[str]] = defaultdict(Counter)
            names: dict[str, Counter[str]] = defaultdict(Counter)
            for provider, values in self._planned:
                key = self._defined(provider)
                zones[key].update(filter(None, [_region(values.get("region")), _of_zone(values)]))
                names[key].update(match[1] for value in values.values() if (match := _ARN.match(str(value))))
            found = {key: zones[key] or names[key] for key in names}
            self._seen = {key: count.most_common(1)[0][0] for key, count in found.items() if count}
        return self._seen


def _chosen(values: list[Any]) -> str | None:
    """Of a table of regions the one whose key is the other value: `var.regions[var.stage]`."""
    tables = [each for each in values if isinstance(each, Mapping)]
    keys = [each for each in values if isinstance(each, str)]
    return next(filter(None, (_region(table.get(key)) for table in tables for key in keys)), None)


def _region(value: Any) -> str | None:
    return value if isinstance(value, str) and REGION.fullmatch(value) else None


def _of_zone(values: Mapping[str, Any]) -> str | None:
    named = [each for key in ("availability_zones", "names") if isinstance(each := values.get(key), list)]
    zones = [values.get("availability_zone"), *(zone for each in named for zone in each)]
    matches = (_ZONE.fullmatch(zone) for zone in zones if isinstance(zone, str))
    return next((match[1] for match in matches if match), None)
