"""Rectangles and lines on paper: what a laid-out picture is made of."""

import re
import textwrap
from dataclasses import dataclass
from typing import Literal

from crossfade.aws.diagram.scene import Kind, Node, Way

Frame = Literal["region", "vpc", "tier", "cell", "groups"]
Point = tuple[float, float]

TITLE = 18  # height of a title's line
LINE = 15  # height of each line below it
LETTER = 6.7  # a wide letter at 11.5 px, so that text fits in any of the fonts
SIDE = 12  # between a box's edge and its text
_UNIT = re.compile(r"(?<=\d) (?=(?:d|h|min|s|%|[KMGT]?B|vCPU)\b)")  # 30 d stay on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with text. `inside` is the id of the frame around it."""

    id: str
    look: Kind | Frame
    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[str, ...] = ()
    idle: bool = False
    inside: str = ""

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """An arrow as a line with corners; its label stands at `at`."""

    source: str
    target: str
    points: tuple[Point, ...]
    way: Way
    label: str = ""
    at: Point = (0, 0)


def height(node: Node, width: float) -> float:
    return 10 + TITLE + LINE * len(wrapped(node, width)) + 8


def box(node: Node, x: float, y: float, width: float, *, inside: str = "", tall: float | None = None) -> Box:
    """A node on paper, as high as its text unless it is told otherwise."""
    return Box(
        id=node.id,
        look=node.kind,
        x=x,
        y=y,
        width=width,
        height=height(node, width) if tall is None else tall,
        title=node.title,
        lines=wrapped(node, width),
        idle=node.idle,
        inside=inside,
    )


def wrapped(node: Node, width: float) -> tuple[str, ...]:
    letters = max(8, int((width - 2 * SIDE) / LETTER))
    kept = (_UNIT.sub("\u00a0", line) for line in node.lines)
    return tuple(part for line in kept for part in textwrap.wrap(line, letters))
