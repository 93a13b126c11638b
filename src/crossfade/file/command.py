"""Command lines and variables: what a shell and a process are given."""

import shlex
from dataclasses import dataclass
from typing import Any, Self

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.units import Notation


class CommandLine(str):
    """A shell command line. `words` are what it was written as when that was a list, which needs no shell."""

    __slots__ = ("words",)
    words: tuple[str, ...]

    def __new__(cls, text: str, words: tuple[str, ...] = ()) -> Self:
        made = super().__new__(cls, text)
        made.words = words
        return made


@dataclass(frozen=True)
class Command(Notation):
    """A shell command line. A list is joined so that each item stays one argument, and `$PORT` in it stays text."""

    def read(self, value: object) -> CommandLine:
        if isinstance(value, CommandLine):
            return value
        if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
            return CommandLine(shlex.join(value), tuple(value))
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ValueError("a command line, such as python -m app --port $PORT")
        return CommandLine(value)

    def write(self, value: CommandLine) -> Any:
        return list(value.words) or str(value)

    def schema(self) -> JsonSchemaValue:
        text = {"type": "string", "pattern": r"\S"}
        return {"anyOf": [text, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


@dataclass(frozen=True)
class Value(Notation):
    """The value of an environment variable: text; numbers and true/false become the text they were written as."""

    def read(self, value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str | int | float) or "\0" in str(value):
            raise ValueError('text ("" for an empty value)')
        return str(value)

    def schema(self) -> JsonSchemaValue:
        return {"type": ["string", "number", "boolean"]}
