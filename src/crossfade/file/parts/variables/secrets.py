"""Sources of secrets, whose values are never in the file: the shell, a file, a command, an env_file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Clash, refuse
from crossfade.file.reading.problem import nearest, shown
from crossfade.file.units import Notation, Text

VARIABLE = Text(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable: letters, digits and _, no digit first")
# Containers take names that a shell does not know, such as discovery.type.
OF_CONTAINERS = Text(
    r"[A-Za-z_][A-Za-z0-9_.-]*",
    "the name of an environment variable: letters, digits and _, in a container . and -, too",
)
_FORMS = (
    "{file: path}, {command: op read ...}, {value: text with ${NAME}}, {optional: true}, or nothing for the shell's"
)
_KEYS = ("file", "command", "value", "optional")
_ONE_OF = ("file", "command", "value")


@dataclass(frozen=True)
class Source:
    """Where a secret's value comes from when the shell does not have it; `value` was made of variables, as the file
    says. `optional`: it may have none.
    """

    file: str = ""
    command: str = ""
    value: str = ""
    optional: bool = False


class SecretNames(tuple[str, ...]):  # noqa: SLOT001 - it has an attribute beside its items
    """The names of a service's secrets; `sources` has those that need not come from the shell."""

    sources: Mapping[str, Source]

    def __new__(cls, sources: Mapping[str, Source] | None = None) -> Self:
        made = super().__new__(cls, sources or {})
        made.sources = {name: source for name, source in (sources or {}).items() if source != Source()}
        return made


@dataclass(frozen=True)
class SecretList(Notation):
    """A list of names, or a mapping from names to where their values come from."""

    def read(self, value: object) -> SecretNames:
        if isinstance(value, list | tuple):
            clashes = [*_wrong_names(enumerate(value))]
            sources = dict.fromkeys(map(str, value), Source())
        elif isinstance(value, dict):
            clashes = [*_wrong_names((name, name) for name in value)]
            sources = {}
            for name, where in value.items():
                source, wrong = _source(name, where)
                sources[name] = source
                clashes += wrong
        else:
            raise ValueError(  # noqa: TRY004 - whose text is what is allowed, as in all notations
                "a list such as [DATABASE_URL], or a mapping such as {DATABASE_URL: {file: path}}"
            )
        refuse(clashes)
        return SecretNames(sources)

    def write(self, value: SecretNames) -> Any:
        if not value.sources:
            return list(value)
        return {name: _written(value.sources.get(name, Source())) for name in value}

    def schema(self) -> JsonSchemaValue:
        name = VARIABLE.schema()
        text = {"type": "string", "pattern": r"\S"}
        keys = {"file": text, "command": text, "value": text, "optional": {"type": "boolean"}}
        one = {"type": ["object", "null"], "properties": keys, "additionalProperties": False}
        names = {"type": "array", "items": name}
        return {"anyOf": [names, {"type": "object", "propertyNames": name, "additionalProperties": one}]}


def _wrong_names(names: Any) -> Iterator[Clash]:
    for key, name in names:
        try:
            VARIABLE.read(name)
        except ValueError as error:
            # NAME=value is a mistake that must not show the value.
            found = shown(f"{name.partition('=')[0]}=..." if isinstance(name, str) and "=" in name else name)
            yield Clash((key,), found, str(error))


def _source(name: str, where: object) -> tuple[Source, list[Clash]]:
    if where is None:
        return Source(), []
    if not isinstance(where, dict):
        return Source(), [Clash((name,), "a value, which the file never holds", _FORMS)]
    clashes = [
        Clash((name, key), f'unknown key "{key}"', f"one of {', '.join(_KEYS)}", nearest(key, _KEYS))
        for key in where
        if key not in _KEYS
    ]
    given: dict[str, Any] = {key: where.get(key) for key in _KEYS if where.get(key) is not None}
    clashes += [
        Clash((name, key), "nothing" if key == "value" else shown(value), "text that is not empty")
        for key, value in given.items()
        if key != "optional" and not (isinstance(value, str) and value.strip())
    ]
    if not isinstance(given.get("optional", False), bool):
        clashes.append(Clash((name, "optional"), shown(given["optional"]), "true or false"))
    several = [key for key in _ONE_OF if key in given]
    if len(several) > 1:
        clashes.append(
            Clash((name, several[1]), f"a {several[1]} beside a {several[0]}", f"one of {', '.join(_ONE_OF)}")
        )
    return (Source(), clashes) if clashes else (Source(**given), [])


def _written(source: Source) -> dict[str, Any]:
    return {key: value for key in _KEYS if (value := getattr(source, key))}


@dataclass(frozen=True)
class EnvFile:
    """A file of variables; `path` is relative to the folder of `crossfade.yaml`."""

    path: str
    required: bool = True


@dataclass(frozen=True)
class EnvFiles(Notation):
    """One path, or a list of paths and of {path: ..., required: false}; what they hold is kept as secrets are."""

    def read(self, value: object) -> tuple[EnvFile, ...]:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(map(_env_file, items))

    def write(self, value: tuple[EnvFile, ...]) -> Any:
        return [one.path if one.required else {"path": one.path, "required": False} for one in value]

    def schema(self) -> JsonSchemaValue:
        path = {"type": "string", "pattern": r"\S"}
        keys = {"path": path, "required": {"type": "boolean"}}
        mapping = {"type": "object", "properties": keys, "required": ["path"], "additionalProperties": False}
        one = {"anyOf": [path, mapping]}
        return {"anyOf": [path, mapping, {"type": "array", "items": one}]}


def _env_file(item: object) -> EnvFile:
    if isinstance(item, str) and item.strip():
        return EnvFile(item)
    if isinstance(item, dict) and item.keys() <= {"path", "required"} and isinstance(item.get("path"), str):
        required = item.get("required", True)
        if isinstance(required, bool) and item["path"].strip():
            return EnvFile(item["path"], required)
    raise ValueError("a path such as .env, or {path: .env, required: false}, or a list of them")
