"""A YAML file read so that every key and value remembers where it stands."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from yaml import events

from crossfade.core.errors import WrongInputError
from crossfade.file.reading.problem import Position, Problem, WrongFileError, shown

Keys = tuple[str | int, ...]
Scalar = str | int | float | bool | None

# The C reader is about ten times faster. We take its events and not its nodes: it builds nodes by recursion, and a
# file of a hundred thousand open brackets crashes the interpreter.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
APP = "`app: name`"  # how the application's file begins
_DEEPEST = 40
_MOST_NODES = 50_000
_LARGEST = 1 << 20

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]{1,3})?")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq"))

# What libyaml says, and what the reader of a configuration file needs to hear.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "a second `:` in one value, or a line that is indented too far",
        "quotes around a value that contains `: `",
    ),
    ("could not find expected ':'", "a line without `:`", "key: value"),
    (
        "did not find expected key",
        "a line that does not line up with the others of its mapping",
        "the same indentation for all keys of a mapping",
    ),
    (
        "block sequence entries are not allowed",
        "a list item where none can be",
        "`- ` on a line of its own below the key",
    ),
    (
        "did not find expected '-' indicator",
        "a line that does not line up with its list",
        "`- ` at the same indentation for all items of a list",
    ),
    ("did not find expected ',' or ']'", "a list whose `[` is not closed", "a `]`, and commas between the items"),
    ("did not find expected ',' or '}'", "a mapping whose `{` is not closed", "a `}`, and commas between the pairs"),
    ("did not find expected node content", "a bracket that is not closed, or nothing between two commas", "a value"),
    ("found unexpected end of stream", "a quote that is not closed", "a second quote at the end of the value"),
    ("cannot start any token", "a value that begins with @, ` or %", "quotes around the value"),
    ("control characters are not allowed", "a control character", "plain text"),
)


@dataclass(frozen=True)
class Written:
    """A value with the place of its key (list items: their own), and for scalars the text as typed.

    `tag` is the tag in front of it, where tags mean something: "!reset" in a Compose file.
    """

    value: "Scalar | dict[str, Written] | list[Written]"
    place: Position
    text: str = ""
    tag: str = ""

    def plain(self, as_text: Callable[[Keys], bool] = lambda _keys: False, keys: Keys = ()) -> Any:
        """The value without places. Scalars whose keys `as_text` picks stay as they were typed: 1.10 is then "1.10"."""
        if isinstance(self.value, dict):
            return {key: item.plain(as_text, (*keys, key)) for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain(as_text, (*keys, index)) for index, item in enumerate(self.value)]
        return self.text if self.value is not None and as_text(keys) else self.value

    def at(self, keys: Keys) -> "Written":
        """What stands under `keys`, or the nearest thing above it that is written at all."""
        here = self
        for key in keys:
            below = here.get(key)
            if below is None:
                return here
            here = below
        return here

    def get(self, key: str | int) -> "Written | None":
        """The value of one key or list index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return self.value[key]
        return None

    def without(self, key: str) -> "Written":
        """The mapping without one key."""
        assert isinstance(self.value, dict)  # noqa: S101 - only asked of the file's root, which is a mapping
        return replace(self, value={name: item for name, item in self.value.items() if name != key})

    def overlaid(self, other: "Written") -> "Written":
        """This with `other` laid over it: mappings are merged, lists and single values replace."""
        if not isinstance(self.value, dict) or not isinstance(other.value, dict):
            return other
        merged = dict(self.value)
        for key, item in other.value.items():
            merged[key] = merged[key].overlaid(item) if key in merged else item
        return replace(self, value=merged)


def written(value: Any, file: str, keys: Keys = ()) -> Written:
    """Plain data from elsewhere, such as the command line, as if it had been written in a file of that name."""
    place = Position(file, 0, 0, keys)
    if isinstance(value, dict):
        return Written({str(key): written(item, file, (*keys, str(key))) for key, item in value.items()}, place)
    if isinstance(value, list | tuple):
        return Written([written(item, file, (*keys, index)) for index, item in enumerate(value)], place)
    return Written(value, place, str(value))


def read(path: Path, called: str) -> Written:
    """The file's root mapping; `called` is the file's name in messages.

    Raises WrongInputError: no such file, or (WrongFileError) no YAML mapping in it.
    """
    hint = "write one with `crossfade init`, or name it with --file"
    return parse(contents(path, called, hint, "name a crossfade file with --file"), called)


def contents(path: Path, called: str, missing: str, other: str) -> bytes:
    """The bytes of a file that is small enough to be one of ours; `missing` and `other` are the ways out.

    Raises WrongInputError: no such file, or none that may be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise WrongInputError(f"there is no file {called}", missing) from None
    except OSError as error:
        raise WrongInputError(f"{called} cannot be read: {error.strerror}", other) from None
    if len(raw) > _LARGEST:
        raise WrongInputError(f"{called} has {len(raw)} bytes; {_LARGEST} are allowed", other)
    return raw


def parse(raw: bytes, file: str, begins: str = APP, tags: Collection[str] = ()) -> Written:
    """As `read`, for the file's bytes; `file` is its name in messages, `begins` how such a file begins, `tags` the
    tags that mean something in it.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        problem = Problem(Position(file, line, column), f"the byte 0x{raw[error.start]:02x}", "text in UTF-8")
        raise WrongFileError(file, [problem]) from None
    reader = _Reader(file, begins, frozenset(tags))
    try:
        root = reader.document(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        raise WrongFileError(file, [_syntax(error, text, file)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise WrongFileError(file, [Problem(Position(file, line, 1), "a control character", "plain text")]) from None
    if reader.problems:
        raise WrongFileError(file, reader.problems)
    return root


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    place = Position(file, line + 1, column + 1)
    character = "".join(text.splitlines()[line : line + 1])[column : column + 1]
    said = f"{error.context or ''} {error.problem or ''}"
    if character == "\t":
        return Problem(place, "a tab", "spaces: YAML does not take tabs for indentation")
    for phrase, found, allowed in _SYNTAX:
        if phrase in said:
            return Problem(place, found, allowed)
    return Problem(place, f"text that is not YAML ({(error.problem or 'syntax error').strip()})", "YAML")


@dataclass
class _Reader:
    """Builds the tree from YAML events and collects what is wrong but does not stop the reading."""

    file: str
    begins: str
    tags: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Written] = field(default_factory=dict)
    nodes: int = 0

    def document(self, stream: Iterator[Any]) -> Written:
        next(stream)  # the stream's start
        if isinstance(next(stream), events.StreamEndEvent):
            raise self._empty()
        start = next(stream)
        root = self._node(stream, start, self._place(start, ()))
        next(stream)  # the document's end
        more = next(stream)
        if not isinstance(more, events.StreamEndEvent):
            raise self._stop(self._place(more, ()), "a second document", "one document a file, without a further `---`")
        if root.value is None:
            raise self._empty()
        if not isinstance(root.value, dict):
            raise self._stop(root.place, shown(root.plain()), f"a mapping that begins with {self.begins}")
        return root

    def _empty(self) -> WrongFileError:
        hint = "; `crossfade init` writes one" if self.begins == APP else ""
        return self._stop(Position(self.file, 1, 1), "an empty file", f"a mapping that begins with {self.begins}{hint}")

    def _stop(self, place: Position, found: str, allowed: str) -> WrongFileError:
        return WrongFileError(self.file, [*self.problems, Problem(place, found, allowed)])

    def _place(self, event: Any, keys: Keys) -> Position:
        return Position(self.file, event.start_mark.line + 1, event.start_mark.column + 1, keys)

    def _node(self, stream: Iterator[Any], event: Any, place: Position) -> Written:
        self._count(place)
        if isinstance(event, events.AliasEvent):
            return self._alias(event, place)
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", *_CORE_TAGS, *self.tags):
            shorthand = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.problems.append(Problem(place, f"the tag {shorthand}", "values without a tag"))
        if isinstance(event, events.ScalarEvent):
            self._refuse_nul(event.value, place)
            node = Written(_scalar(event), place, event.value)
        elif isinstance(event, events.MappingStartEvent):
            node = Written(self._mapping(stream, place), place)
        else:
            node = Written(self._list(stream, place), place)
        if tag in self.tags:
            node = replace(node, tag=str(tag))
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _count(self, place: Position) -> None:
        # Ten aliases of ten aliases, nine levels deep, are a billion values from a file of ten lines.
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            raise self._stop(place, f"more than {_MOST_NODES} values", "fewer; does an alias multiply them?")
        if len(place.keys) > _DEEPEST:
            raise self._stop(replace(place, keys=place.keys[:3]), f"more than {_DEEPEST} levels", "fewer")

    def _refuse_nul(self, text: str, place: Position) -> None:
        """It is in no path, no variable and no argument of any system."""
        if "\0" in text:
            self.problems.append(Problem(place, "found a NUL character", "text"))

    def _list(self, stream: Iterator[Any], place: Position) -> list[Written]:
        items: list[Written] = []
        while not isinstance(event := next(stream), events.SequenceEndEvent):
            items.append(self._node(stream, event, self._place(event, (*place.keys, len(items)))))
        return items

    def _mapping(self, stream: Iterator[Any], place: Position) -> dict[str, Written]:
        pairs: dict[str, Written] = {}
        merged: list[Written] = []
        while not isinstance(event := next(stream), events.MappingEndEvent):
            if not isinstance(event, events.ScalarEvent):
                raise self._stop(self._place(event, place.keys), "a key that is not a word", "key: value")
            merging = event.value == "<<" and event.implicit[0]
            here = self._place(event, place.keys if merging else (*place.keys, event.value))
            self._refuse_nul(event.value, self._place(event, place.keys))
            node = self._node(stream, next(stream), here)
            if merging:
                merged.extend(node.value if isinstance(node.value, list) else [node])
            elif event.value in pairs:
                first = pairs[event.value].place.line
                self.problems.append(
                    Problem(here, f"a second {event.value}, the first is in line {first}", "each key once")
                )
            else:
                pairs[event.value] = node
        return self._with_merged(pairs, merged, place.keys)

    def _with_merged(self, pairs: dict[str, Written], merged: list[Written], keys: Keys) -> dict[str, Written]:
        """`<<: *base`: the keys of other mappings, where this one does not have them itself."""
        for source in merged:
            if not isinstance(source.value, dict):
                self.problems.append(Problem(source.place, shown(source.plain()), "a mapping, or a list of mappings"))
                continue
            pairs = {**{key: self._copied(item, (*keys, key)) for key, item in source.value.items()}, **pairs}
        return pairs

    def _alias(self, event: Any, place: Position) -> Written:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise self._stop(
                place, f"*{event.anchor}, which is not defined above", f"an alias of an anchor such as &{event.anchor}"
            )
        return self._copied(target, place.keys)

    def _copied(self, node: Written, keys: Keys) -> Written:
        """The same values and lines, under the keys where the alias stands."""
        place = replace(node.place, keys=keys)
        self._count(place)
        if isinstance(node.value, dict):
            return replace(
                node, value={key: self._copied(item, (*keys, key)) for key, item in node.value.items()}, place=place
            )
        if isinstance(node.value, list):
            return replace(
                node, value=[self._copied(item, (*keys, index)) for index, item in enumerate(node.value)], place=place
            )
        return replace(node, place=place)


def _scalar(event: Any) -> Scalar:
    """The value of a scalar by YAML 1.2: `no`, `on` and 12:30 are text here, as their writers mean them."""
    text: str = event.value
    tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
    if tag in ("str", "!") or (not tag and not event.implicit[0]):
        return text
    return meaning(text)


def meaning(text: str) -> Scalar:
    """What a plain scalar stands for: nothing, true or false, a number, or its text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
