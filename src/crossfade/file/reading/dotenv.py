"""Files of variables, `.env` and what `env_file` names: a line each, `NAME=value`, as Compose reads them."""

import re
from collections.abc import Mapping
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.file.reading.interpolation import fill
from crossfade.file.reading.problem import Position, Problem, WrongFileError

_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:([=:])[ \t]*|(?=[\r\n]|\Z))")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\[\s\S])*)"')
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}
_ALLOWED = "NAME=value, a comment that begins with #, or an empty line"


def read_variables(path: Path, called: str, known: Mapping[str, str]) -> dict[str, str]:
    """The variables of the file; `known` are those of the shell, which its values may use and which fill bare names.

    Raises WrongInputError: no such file, or (WrongFileError) a line that is not a variable.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise WrongInputError(f"there is no file {called}", "write it, or take it out where it is named") from None
    except OSError as error:
        raise WrongInputError(
            f"{called} cannot be read: {error.strerror}", "make it a file that you may read"
        ) from None
    except UnicodeDecodeError:
        raise WrongInputError(f"{called} cannot be read: it is not UTF-8 text", "save it as UTF-8") from None
    return parse_variables(text, called, known)


def parse_variables(text: str, called: str, known: Mapping[str, str]) -> dict[str, str]:
    """As `read_variables`, for the file's text. A later value may use an earlier one; those of the shell win."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise WrongFileError(called, [Problem(Position(called, line, 1), "found a NUL character", "text")])
    at, line = 0, 1
    while at < len(text):
        begin = at
        if blank := _BLANK.match(text, at):
            at = blank.end()
        elif (match := _LINE.match(text, at)) is None:
            # The line itself is not shown: it may be half of a secret.
            problems.append(Problem(Position(called, line, 1), "a line that is not a variable", _ALLOWED))
            at = _next_line(text, at)
        elif match[2] is None:
            found.update({match[1]: known[match[1]]} if match[1] in known else {})
            at = _next_line(text, match.end())
        else:
            raw, at = _value(text, match.end())
            try:
                found[match[1]] = fill(raw, {**found, **known} if "$" in raw else known).text
            except ValueError as error:
                problems.append(
                    Problem(Position(called, line, 1), f"the value of {match[1]}, with a wrong ${{", str(error))
                )
        line += text.count("\n", begin, at)
    if problems:
        raise WrongFileError(called, problems)
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, with `$` doubled where it is literal, and where the next line begins."""
    if single := _SINGLE.match(text, at):
        return single[1].replace("$", "$$"), _next_line(text, single.end())
    if double := _DOUBLE.match(text, at):
        value = re.sub(r'\\([nrt"\\$])', lambda match: _ESCAPES[match[1]], double[1])
        return value, _next_line(text, double.end())
    following = _next_line(text, at)
    return re.split(r"(?:^|\s)#", text[at:following], maxsplit=1)[0].strip(), following


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
