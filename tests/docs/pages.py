"""The pages of the repository taken apart: fenced blocks, links, and what is written as code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)|<img[^>]*src=\"(?P<image>[^\"]+)\"")
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Page:
    """One Markdown file. Line numbers begin at 1."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text with its fenced blocks emptied, lines kept."""
        return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), self.text)

    def blocks(self) -> Iterator["Block"]:
        for found in _FENCE.finditer(self.text):
            above = self.text[: found.start()].rstrip("\n")
            yield Block(self, above.count("\n") + 3, found["language"], found["text"], above.rpartition("\n\n")[2])

    def links(self) -> Iterator[str]:
        for found in _LINK.finditer(self.prose):
            yield found["target"] or found["image"]

    def spans(self) -> Iterator[tuple[int, str]]:
        """(line, text) of all inline code."""
        for number, line in enumerate(self.prose.split("\n"), start=1):
            for found in _SPAN.finditer(line):
                yield number, found[1]

    def anchors(self) -> set[str]:
        """What `#...` may name: the headings as GitHub spells them."""
        titles = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@dataclass(frozen=True)
class Block:
    """A fenced block; `before` is the paragraph above it."""

    page: Page
    line: int
    language: str
    text: str
    before: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The file that the block is to be written to: named last in the paragraph above, which ends in a colon."""
        named = re.findall(r"`([\w.-]+\.\w+)`", self.before) if self.before.endswith(":") else []
        return named[-1] if named and self.language in {"python", "yaml"} else ""


@cache
def pages() -> tuple[Page, ...]:
    """README and its neighbours, then everything below docs."""
    top = sorted(ROOT.glob("*.md"))
    return tuple(map(Page, [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("examples/*/README.md"))]))


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages."""
    return [block for page in pages() for block in page.blocks() if block.language in languages]
