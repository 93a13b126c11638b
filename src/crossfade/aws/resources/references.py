"""References of a plan: which resource a value comes from.

A plan names what is not known before it is applied only in its configuration: the task definition of an ECS service is
`var.task` there, which a module call sets to `module.api.task`, an output of `aws_ecs_task_definition.this.arn`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.aws.resources.outside import OutsideValues
from crossfade.aws.resources.written import Path, WrittenValues

_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
_MODULE = re.compile(r'module\.([\w-]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.')
_REFERENCE = re.compile(r'(?P<head>(?:data\.)?[\w-]+)\.(?P<name>[\w-]+)(?P<index>\[(?:\d+|"(?:[^"\\]|\\.)*")\])?')
_CHOOSING = ("var.", "local.", "each.", "terraform.")
_OWN_KEY = frozenset({"each.key", "each.value", "count.index"})


@dataclass(frozen=True, slots=True)
class _Target:
    """A resource of the configuration, and which of its instances when the reference says so."""

    address: str
    index: str = ""


@dataclass(frozen=True, slots=True)
class _Reach:
    """The instances of a resource that another can mean, and those with a key of their own by it."""

    all: tuple[str, ...]
    by_index: Mapping[str, tuple[str, ...]]


class References:
    """Resolves references of resources by the configuration's module calls and outputs."""

    def __init__(
        self,
        root: Mapping[str, Any],
        addresses: Iterable[str],
        variables: Mapping[str, Any],
        prior: Mapping[str, Any],
    ) -> None:
        self._modules: dict[Path, Mapping[str, Any]] = dict(_modules(root))
        self._written = WrittenValues(self._modules, variables, OutsideValues(root, variables, prior))
        self._resources: dict[str, tuple[Path, Mapping[str, Any]]] = {
            ".".join([*(f"module.{name}" for name in path), resource["address"]]): (path, resource)
            for path, module in self._modules.items()
            for resource in module.get("resources", ())
        }
        self._instances: dict[str, list[str]] = defaultdict(list)
        for address in addresses:
            self._instances[_INDEX.sub("", address)].append(address)
        self._known: dict[tuple[Path, str], tuple[_Target, ...]] = {}
        self._near: dict[tuple[str, str], _Reach] = {}
        self._keys: dict[str, dict[str, list[_Target]]] = {}
        self._keyed: dict[str, frozenset[str]] = {}

    def of(self, address: str) -> dict[str, tuple[str, ...]]:
        """By key, dotted inside of blocks, the addresses that its value comes from."""
        plain = _INDEX.sub("", address)
        if plain not in self._resources:
            return {}
        if plain not in self._keys:
            self._read(plain)
        found = {}
        for key, targets in self._keys[plain].items():
            own = _last_index(address) if key in self._keyed[plain] else ""
            addresses = dict.fromkeys(each for target in targets for each in self._expanded(target, address, own))
            if addresses:
                found[key] = tuple(addresses)
        return found

    def written(self, address: str, planned: Mapping[str, Any]) -> dict[str, Any]:
        """Values that the configuration itself has, blocks inside of blocks as lists of mappings."""
        return self._written.of(*self._resources.get(_INDEX.sub("", address), ((), {})), planned)

    def given(self, address: str) -> frozenset[str]:
        """Dotted paths of values that the configuration works out: not those that it leaves to the provider."""
        _, resource = self._resources.get(_INDEX.sub("", address), ((), {}))
        return frozenset(path for path, _ in _by_key(resource.get("expressions", {})))

    def mixed(self, address: str) -> frozenset[str]:
        """Dotted paths of values into which variables or local values go: a plan does not say how."""
        _, resource = self._resources.get(_INDEX.sub("", address), ((), {}))
        return frozenset(
            path
            for path, references in _by_key(resource.get("expressions", {}))
            if any(reference.startswith(_CHOOSING) for reference in references)
        )

    def provider(self, address: str) -> str:
        """The key of the provider that makes a resource: "aws" unless the configuration names another."""
        _, resource = self._resources.get(_INDEX.sub("", address), ((), {}))
        return str(resource.get("provider_config_key") or "aws")

    def _read(self, plain: str) -> None:
        path, resource = self._resources[plain]
        each = list(_references(resource.get("for_each_expression", {})))
        keys: dict[str, list[_Target]] = {}
        keyed = set()
        for key, references in _by_key(resource.get("expressions", {})):
            heads = {_head(reference) for reference in references}
            if heads & _OWN_KEY:
                keyed.add(key)
            meant = [*references, *(each if "each.value" in heads else ())]
            targets = dict.fromkeys(target for reference in meant for target in self._targets(path, reference))
            keys.setdefault(key, []).extend(targets)
        self._keys[plain], self._keyed[plain] = keys, frozenset(keyed)

    def _targets(self, path: Path, reference: str) -> tuple[_Target, ...]:
        place = (path, reference)
        if place not in self._known:
            self._known[place] = ()  # a circle, which Terraform refuses, ends here
            self._known[place] = tuple(dict.fromkeys(self._resolved(path, reference)))
        return self._known[place]

    def _resolved(self, path: Path, reference: str) -> Iterator[_Target]:
        match = _REFERENCE.match(reference)
        if match is None:
            return
        head, name, index = match["head"], match["name"], match["index"] or ""
        if head == "var" and path:
            call = self._modules[path[:-1]].get("module_calls", {}).get(path[-1], {})
            for further in _references(call.get("expressions", {}).get(name, {})):
                yield from self._targets(path[:-1], further)
        elif head == "module":
            child = (*path, name)
            output = reference[match.end() :].lstrip(".").split(".")[0].split("[")[0]
            expression = self._modules.get(child, {}).get("outputs", {}).get(output, {}).get("expression", {})
            for further in _references(expression):
                yield from self._targets(child, further)
        else:
            address = ".".join([*(f"module.{each}" for each in path), f"{head}.{name}"])
            if address in self._resources:
                yield _Target(address, index)

    def _expanded(self, target: _Target, near: str, own: str) -> tuple[str, ...]:
        """The instances that are meant: the named one, the one of the same key, or all in the same module instance."""
        reach = self._in_reach(target.address, near)
        return reach.by_index.get(target.index) or reach.by_index.get(own) or reach.all

    def _in_reach(self, plain: str, near: str) -> _Reach:
        """Instances in the module instances that `near` is in too."""
        module = "".join(match[0] for match in _MODULE.finditer(near))
        place = (plain, module)
        if place not in self._near:
            here = dict(_numbered(module))
            found = tuple(
                each
                for each in self._instances.get(plain, ())
                if all(here.get(name, index) == index for name, index in _numbered(each))
            )
            self._near[place] = _Reach(found, {index: (each,) for each in found if (index := _last_index(each))})
        return self._near[place]


def _modules(root: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    waiting: list[tuple[Path, Mapping[str, Any]]] = [((), root)]
    while waiting:
        path, module = waiting.pop()
        yield path, module
        waiting += [((*path, name), call.get("module", {})) for name, call in module.get("module_calls", {}).items()]


def _numbered(address: str) -> Iterator[tuple[str, str]]:
    """`module.a["x"].module.b.` as ("a", '["x"]'), ("a.b", ""): each with all above it."""
    path = ""
    for match in _MODULE.finditer(address):
        path += f".{match[1]}"
        yield path, match[2] or ""


def _last_index(address: str) -> str:
    return found[0] if (found := re.search(rf"{_INDEX.pattern}$", address)) else ""


def _head(reference: str) -> str:
    return ".".join(reference.split(".")[:2])


def _references(expression: Any) -> Iterator[str]:
    """Those of an expression and of all in it. `module.m.out` comes with a shorter `module.m`, which says nothing."""
    waiting = [expression]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            found = here.get("references")
            if isinstance(found, list):
                yield from (each for each in found if isinstance(each, str))
            waiting += [item for key, item in here.items() if key not in ("references", "constant_value")]


def _by_key(expressions: Any, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each key of a resource with its references; keys of blocks are dotted."""
    for key, expression in expressions.items() if isinstance(expressions, dict) else ():
        name = f"{prefix}{key}"
        if isinstance(expression, dict) and "references" in expression:
            yield name, list(_references(expression))
        elif isinstance(expression, dict) and "constant_value" not in expression:
            yield from _by_key(expression, f"{name}.")
        elif isinstance(expression, list):
            for block in expression:
                yield from _by_key(block, f"{name}.")
