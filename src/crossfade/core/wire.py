"""The nouns as JSON and back: what the journal holds and the API speaks."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

from crossfade.core.actions import Action

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}  # making one costs a millisecond, using it microseconds


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(value: Any) -> Any:
    """A frozen noun as plain JSON values."""
    return _adapter(type(value)).serializer.to_python(value, mode="json")


def decode(kind: type[T], data: Any) -> T:
    """The noun of this kind that `encode` made `data` of."""
    value: T = _adapter(kind).validator.validate_python(data)
    return value


def encode_change(value: T, before: T) -> dict[str, Any]:
    """The fields in which a frozen noun differs from another of its kind, as plain JSON values."""
    names = {one.name for one in fields(value) if getattr(value, one.name) != getattr(before, one.name)}  # type: ignore[arg-type]
    changed: dict[str, Any] = _adapter(type(value)).serializer.to_python(value, mode="json", include=names)
    return changed


def decode_change(before: T, changed: Mapping[str, Any]) -> T:
    """The noun that `encode_change` compared with `before`; what is the same in both is shared."""
    if not changed:
        return before
    same = {one.name: getattr(before, one.name) for one in fields(before)}  # type: ignore[arg-type]
    return decode(type(before), {**same, **changed})


_ACTIONS: dict[str, type[Action]] = {kind.__name__: kind for kind in Action.__args__}


def encode_action(action: Action) -> dict[str, Any]:
    """An action with its name under `do`: {"do": "Launch", "release": 7, "count": 2}."""
    return {"do": type(action).__name__, **encode(action)}


def decode_action(data: dict[str, Any]) -> Action:
    """The action that `encode_action` made `data` of."""
    fields = {key: value for key, value in data.items() if key != "do"}
    return decode(_ACTIONS[data["do"]], fields)
