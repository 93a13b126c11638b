"""Texts whose variables stay variables, because their values must not stand in the new file or are not there yet."""

import re
import shlex
from collections.abc import Sequence

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class WithVariables(str):
    """`${NAME}` in it is a variable of the new file; in every other text it is a literal."""

    __slots__ = ()


def left_open(typed: str, unset: Sequence[str]) -> WithVariables:
    """The text with a variable for each that is set nowhere: a `.env` that comes later fills it in."""
    for name in unset:
        typed = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", f"${{{name}:-}}", typed)
    return WithVariables(typed)


class InShell(str):
    """`${NAME}` in it is a secret, which only a shell in the container can fill in: no command has its value."""

    __slots__ = ()


def line_of(words: Sequence[str]) -> str:
    """The words as a shell reads them."""
    if any(isinstance(word, InShell) for word in words):
        return " ".join(_quoted(word) for word in words)
    line = shlex.join(words)
    return WithVariables(line) if any(isinstance(word, WithVariables) for word in words) else line


def script_of(text: str) -> str:
    """A text that a shell reads already; in single quotes it fills nothing in, so these are closed for it."""
    if not isinstance(text, InShell):
        return text
    parts, quote = [], ""
    for index, part in enumerate(_VARIABLE.split(text)):
        if index % 2:
            parts.append({"": f'"${part}"', '"': f"${{{part}}}", "'": f"'\"${part}\"'"}[quote])
        else:
            parts.append(part)
            quote = _quote_after(part, quote)
    return "".join(parts)


def _quote_after(text: str, quote: str) -> str:
    """The quote that is open behind the text, when `quote` was before it."""
    escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif letter in "'\"" and quote in ("", letter):
            quote = "" if quote else letter
    return quote


def _quoted(word: str) -> str:
    if not isinstance(word, InShell):
        return shlex.quote(word)
    parts = _VARIABLE.split(word)  # text, name, text, name, ..., text
    return "".join(f'"${part}"' if index % 2 else shlex.quote(part) if part else "" for index, part in enumerate(parts))
