"""The nouns as JSON and back: what the journal holds and the API speaks."""

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


_ACTIONS: dict[str, type[Action]] = {kind.__name__: kind for kind in Action.__args__}


def encode_action(action: Action) -> dict[str, Any]:
    """An action with its name under `do`: {"do": "Launch", "release": 7, "count": 2}."""
    return {"do": type(action).__name__, **encode(action)}


def decode_action(data: dict[str, Any]) -> Action:
    """The action that `encode_action` made `data` of."""
    fields = {key: value for key, value in data.items() if key != "do"}
    return decode(_ACTIONS[data["do"]], fields)
