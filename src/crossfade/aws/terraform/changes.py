"""The changes of a plan, read from `terraform show -json`.

https://developer.hashicorp.com/terraform/internals/json-format#change-representation
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossfade.aws.terraform.in_use import groups_in_use

Action = Literal["create", "update", "replace", "delete"]
SIGNS: Mapping[Action, str] = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
SHORT = 40  # characters of a value that a person still reads in passing

_ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One resource that will not be what it was. `why` says what differs, and which of it forces a replacement."""

    address: str
    type: str
    action: Action
    before: Mapping[str, Any]
    why: tuple[str, ...] = ()

    @property
    def ends(self) -> bool:
        """True when what is there now will be gone."""
        return self.action in {"replace", "delete"}

    @property
    def module(self) -> str:
        """The module of the environment that it belongs to, or nothing."""
        return ".".join(self.address.split(".")[:2]) if self.address.startswith("module.") else ""

    @property
    def name(self) -> str:
        """The address inside of that module."""
        return self.address.removeprefix(f"{self.module}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A whole plan. `drifted` was changed by somebody else than Terraform since the last run.

    `in_use` are the addresses of what ends in it although AWS will not delete it as long as others lead there.
    """

    resources: tuple[ResourceChange, ...]
    outputs: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    in_use: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.resources or self.outputs)

    @property
    def add(self) -> int:
        return self._count("create", "replace")

    @property
    def change(self) -> int:
        return self._count("update")

    @property
    def destroy(self) -> int:
        return self._count("delete", "replace")

    @property
    def steps(self) -> int:
        """How many resources Terraform will report as done: one that is replaced is deleted and created."""
        return self.add + self.change + self.destroy

    def by_module(self) -> dict[str, list[ResourceChange]]:
        """As people look for it: what belongs together stands together."""
        found: dict[str, list[ResourceChange]] = {}
        for one in sorted(self.resources, key=lambda one: (one.module, one.name)):
            found.setdefault(one.module, []).append(one)
        return found

    def _count(self, *actions: Action) -> int:
        counted = Counter(one.action for one in self.resources)
        return sum(counted[action] for action in actions)


def read_changes(plan: Mapping[str, Any]) -> Changes:
    """Reads nothing but data sources and leaves everything as it is: such entries are no changes."""
    resources = tuple(_resources(plan))
    return Changes(
        resources=resources,
        outputs=tuple(
            name
            for name, change in (plan.get("output_changes") or {}).items()
            if tuple(change.get("actions", ())) not in {("no-op",), ()}
        ),
        drifted=tuple(_drifted(plan, {one.address for one in resources})),
        in_use=groups_in_use(plan),
    )


def _drifted(plan: Mapping[str, Any], changed: set[str]) -> Iterator[str]:
    """What is gone, or is going to be set right. The rest is AWS filling in what the file leaves open."""
    for entry in plan.get("resource_drift") or ():
        if entry["address"] in changed or "delete" in entry["change"]["actions"]:
            yield entry["address"]


def _resources(plan: Mapping[str, Any]) -> Iterator[ResourceChange]:
    for entry in plan.get("resource_changes") or ():
        change = entry["change"]
        action = _ACTIONS.get(tuple(change["actions"]))
        if action is None or entry.get("mode") == "data":
            continue
        yield ResourceChange(
            address=entry["address"],
            type=entry["type"],
            action=action,
            before=change.get("before") or {},
            why=tuple(_why(action, change)),
        )


def _why(action: Action, change: Mapping[str, Any]) -> list[str]:
    if action not in {"update", "replace"}:
        return []
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = {key for key, mark in (change.get("after_unknown") or {}).items() if mark}
    forces = {str(path[0]) for path in change.get("replace_paths") or () if path}
    hidden = {key for side in ("before_sensitive", "after_sensitive") for key in _hidden(change.get(side))}
    # A new one has a new id, a new address and so on: that is no reason.
    keys = sorted(forces if action == "replace" else {*before, *after})
    differ = [key for key in keys if key not in unknown and (before.get(key) != after.get(key) or key in forces)]
    known = [key if key in hidden else _difference(key, before.get(key), after.get(key)) for key in differ]
    later = [f"{key} (known after apply)" for key in keys if key in unknown]
    # What AWS computes anew follows from the rest; it is worth a word when there is no rest.
    return known if known and action == "update" else known + later


def _hidden(marks: Any) -> Iterator[str]:
    """Keys of which any part is a secret: the marks mirror the value, with true where one is."""
    if isinstance(marks, Mapping):
        yield from (key for key, mark in marks.items() if _any(mark))


def _any(mark: Any) -> bool:
    if isinstance(mark, Mapping):
        return any(map(_any, mark.values()))
    return any(map(_any, mark)) if isinstance(mark, list) else bool(mark)


def _difference(key: str, before: Any, after: Any) -> str:
    shown = f"{_shown(before)} -> {_shown(after)}"
    simple = not isinstance(before, dict | list) and not isinstance(after, dict | list)
    return f"{key} {shown}" if simple and len(shown) <= SHORT * 2 else key


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) and value else json.dumps(value)
