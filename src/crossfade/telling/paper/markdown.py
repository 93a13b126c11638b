"""The account in Markdown, for a ticket or a pull request."""

import re
from collections.abc import Iterable, Sequence

from crossfade.telling.account import ReleaseAccount
from crossfade.telling.paper.contents import STRETCHES, clock, facts, stretches, summary, title, unsaid
from crossfade.telling.text import plain

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$@-])")
_ESCAPED = re.compile(rf"\\{_MARKS.pattern}")


def markdown(account: ReleaseAccount) -> str:
    """One page. What apps and people wrote is text in it, and nothing else."""
    parts = [
        f"# {text(title(account))}",
        "\n\n".join(text(line) for line in summary(account)),
        table(("", ""), facts(account)),
    ]
    if rows := stretches(account):
        parts += ["## What its clients got", table(STRETCHES, rows)]
    parts += [" ".join(text(line) for line in unsaid(account))]
    story = "\n".join(f"- {clock(at)} {text(line)}" for at, line in account.story)
    return "\n\n".join([*parts, "## What happened", story]) + "\n"


def text(value: str) -> str:
    """Words that mean no mark and no link, on one line. Hyphens and dots inside a word stay as they are."""
    flat = " ".join(plain(value).split())
    return _MARKS.sub(lambda found: found[1] if _inside(flat, found.start()) else f"\\{found[1]}", flat)


def spoken(page: str) -> str:
    """A page for a terminal: without the backslashes that kept words from being marks, and with those of the words."""
    return _ESCAPED.sub(r"\1", page)


def _inside(flat: str, at: int) -> bool:
    """A hyphen, bracket or plus that cannot begin anything where it stands: a dash alone in its cell is one, too."""
    return flat == "-" or (flat[at] in "-()+" and at > 0)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of text under a head."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(text(cell) for cell in row) + " |" for row in rows)])
