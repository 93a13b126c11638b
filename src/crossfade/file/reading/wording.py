"""The words for what pydantic found wrong, at the place where it was written."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from crossfade.file.cloud.compute import Compute
from crossfade.file.cloud.data import Cache, Database
from crossfade.file.cloud.network import Network
from crossfade.file.model import Cloud, Deploy, File, Health, Listen, RollbackOn, Service, Settings
from crossfade.file.part import Clash, Part
from crossfade.file.parts.container import Contained
from crossfade.file.reading.document import Keys, Written
from crossfade.file.reading.problem import Problem, nearest, shown

_KINDS = {
    "model_type": "a mapping of keys and values",
    "dict_type": "a mapping of keys and values",
    "bool_type": "true or false",
    "string_type": "text",
}
# Parts that may be written as one value.
_SHORT = {
    "Listen": "a port such as 8080, or a mapping",
    "Image": "the name of an image, or {build: .}",
    "Build": "a folder with a Dockerfile, or a mapping",
    "Static": "a folder below the source, or a mapping",
}
# Keys are often written one level too high or too low; this is where they belong.
_HOMES: dict[type[Part], str] = {
    File: "at the top of the file",
    Service: "in services.<name>",
    Deploy: "in deploy",
    RollbackOn: "in deploy.rollback_on",
    Health: "in health",
    Listen: "in listen",
    Cloud: "in cloud",
    Network: "in cloud.network",
    Compute: "in cloud.compute",
    Database: "in cloud.database",
    Cache: "in cloud.cache",
}


def problems(error: ValidationError, document: Written, root: type[Part] = File) -> Iterator[Problem]:
    """Each thing that is wrong, once, at its place in the document, which should have been a `root`."""
    for detail in error.errors(include_url=False):
        keys: Keys = tuple(key for key in detail["loc"] if key != "[key]")
        kind = detail["type"]
        if kind == "impossible":
            yield from (_clash(keys, clash, document) for clash in detail["ctx"]["clashes"])
        elif kind == "extra_forbidden":
            yield _unknown(keys, document, root)
        elif kind == "missing":
            yield Problem(document.at(keys).place, f"no {keys[-1]}", f"{keys[-1]}: {_example(keys, root)}")
        elif kind != "default_factory_not_called":  # only says that a neighbour is wrong, which is said already
            yield _wrong_value(keys, kind, detail, document, root)


def _clash(keys: Keys, clash: Clash, document: Written) -> Problem:
    return Problem(document.at((*keys, *clash.key)).place, f"found {clash.found}", clash.allowed, clash.meant)


def _wrong_value(keys: Keys, kind: str, detail: Any, document: Written, root: type[Part]) -> Problem:
    found = detail["input"]
    if "secrets" in keys and isinstance(found, str):
        found = re.sub("=.*", "=...", found, flags=re.DOTALL)  # NAME=value is a mistake that must not show the value
    if kind == "literal_error":
        words = [word.strip("'") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return Problem(
            document.at(keys).place, f"found {shown(found)}", f"one of {', '.join(words)}", nearest(found, words)
        )
    if kind == "tuple_type":
        return Problem(document.at(keys).place, f"found {shown(found)}", f"a list such as {_example(keys, root)}")
    if kind == "model_type" and detail["ctx"]["class_name"] in _SHORT:
        return Problem(document.at(keys).place, f"found {shown(found)}", _SHORT[detail["ctx"]["class_name"]])
    if kind == "value_error":
        error = detail["ctx"]["error"]
        return Problem(document.at(keys).place, f"found {shown(found)}", str(error), getattr(error, "meant", ""))
    return Problem(document.at(keys).place, f"found {shown(found)}", _KINDS.get(kind, "another value"))


def _unknown(keys: Keys, document: Written, root: type[Part]) -> Problem:
    key = str(keys[-1])
    place = document.at(keys).place
    in_environment = root is File and len(keys) == 1 and place.keys[0] == "environments"
    part = Settings if in_environment else _part_at(keys[:-1], root)
    known = keys_of(part)
    homes = _HOMES if root is File else {}
    elsewhere = (home for owner, home in homes.items() if key in keys_of(owner))
    # A letter too few is likelier than a key that was meant for another place.
    meant = nearest(key, known, closeness=0.9) or next((f"{key} {home}" for home in elsewhere), nearest(key, known))
    return Problem(place, f'unknown key "{key}"', f"one of {', '.join(known)}", meant)


def keys_of(part: type[Part]) -> list[str]:
    """The keys that may be written in a part, in the order in which the reference lists them."""
    own = sorted(part.model_fields.items(), key=lambda one: one[0] in Contained.model_fields and part is not Contained)
    return [field.alias or name for name, field in own]


def _part_at(keys: Keys, root: type[Part]) -> type[Part]:
    """The model of the mapping under `keys`, found along the models' annotations."""
    annotation: Any = root
    for key in keys:
        if isinstance(annotation, type) and issubclass(annotation, Part):
            annotation = _part_or_container(_field(annotation, str(key)))
        else:
            annotation = _part_or_container(get_args(annotation)[1 if get_origin(annotation) is dict else 0])
    part: type[Part] = annotation  # only mappings with fixed keys have unknown or missing ones
    return part


def _field(part: type[Part], key: str) -> Any:
    return next(field.annotation for name, field in part.model_fields.items() if key in (name, field.alias))


def _part_or_container(annotation: Any) -> Any:
    """`Tls | None` is about Tls; everything else is about itself."""
    parts = [arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, Part)]
    return parts[0] if parts and get_origin(annotation) not in (dict, tuple) else annotation


def _example(keys: Keys, root: type[Part]) -> str:
    part = _part_at(keys[:-1], root)
    examples = next(field.examples for name, field in part.model_fields.items() if keys[-1] in (name, field.alias))
    return in_flow(examples[0]) if examples else "..."


def in_flow(value: Any) -> str:
    """A value as it can be written on one line of the file: [10, 50, 100]."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {in_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(in_flow(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
