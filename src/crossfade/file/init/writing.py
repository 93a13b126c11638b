"""The text of a file that `init` writes: what it was made from, what is left to do, and why beside the lines."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from crossfade.file.init.kept import WithVariables
from crossfade.file.init.todo import Todo, as_comments, on_one_line

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_KEY = re.compile(r"( *)(['\"]?)([^\s:'\"#-][^:'\"#]*)\2:(?= |$)")
_INDENT = 2
_PARTS = ("services", "stores", "jobs")
_FILLED = ("image", "secrets")  # may have variables of Compose's, which are the same here
_WIDEST = 10**6  # a value is never folded: its comment stands behind it


class _Line(dict[str, Any]):
    """A mapping that is written on one line: {path: /up}."""


class _LineList(list[Any]):
    """A list that is written on one line."""


class _Dumper(_Base):  # type: ignore[misc]  # libyaml's, where it is there
    pass


_Dumper.add_representer(
    _Line, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)
)
_Dumper.add_representer(
    _LineList, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)
)


def _text(dumper: Any, value: str) -> Any:
    """Of several lines as a block, whose first line may have a comment: inside quotes that would be text, too."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(value), style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(WithVariables, _text)


def text_of(
    file: Mapping[str, Any], read: Sequence[str], todos: Sequence[Todo], comments: Mapping[tuple[str, str], str]
) -> str:
    """The file as YAML. `comments` stand behind their lines: by service ("" for the top) and key, `env.NAME` too."""
    files = on_one_line(", ".join(read))
    head = f"# Carried over from {files}. `crossfade check` reads this file without running anything.\n"
    parts = {key: {name: _short(one) for name, one in file[key].items()} for key in _PARTS if key in file}
    top = {key: _on_one_line(value) for key, value in file.items() if key not in _PARTS}
    body = yaml.dump(
        {"app": top.pop("app"), **parts, **top},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDEST,
    )
    return head + as_comments(todos) + "".join(_commented(body, comments))


def _short(service: Mapping[str, Any]) -> dict[str, Any]:
    """The service or store with everything on one line but its variables, which may have comments of their own."""
    return {
        key: _literal(value) if key == "env" else _on_one_line(value if key in _FILLED else _literal(value))
        for key, value in service.items()
    }


def _literal(value: Any) -> Any:
    """The value with each `${` as it has to be written where that is not a variable of this file."""
    if isinstance(value, WithVariables):
        return value
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list | tuple) else value


def _on_one_line(value: Any) -> Any:
    if isinstance(value, dict):
        return _Line({key: _on_one_line(item) for key, item in value.items()})
    return _LineList(map(_on_one_line, value)) if isinstance(value, list | tuple) else value


def _commented(body: str, comments: Mapping[tuple[str, str], str]) -> list[str]:
    """The lines, each with its comment. Which line is which key is told by its indentation, which is ours."""
    lines = []
    path: list[str] = []
    for line in body.splitlines(keepends=True):
        match = _KEY.match(line)
        if match and len(match[1]) % _INDENT == 0 and len(match[1]) // _INDENT <= len(path):
            path = [*path[: len(match[1]) // _INDENT], match[3]]
            comment = comments.get(_place(path))
            line = f"{line.rstrip()}  # {on_one_line(comment)}\n" if comment else line  # noqa: PLW2901 - the line that is kept
        lines.append(line)
    return lines


def _place(path: Sequence[str]) -> tuple[str, str]:
    if path[0] in _PARTS and len(path) > 2:  # noqa: PLR2004 - services, its name, its key
        return path[1], ".".join(path[2:])
    return "", ".".join(path)
