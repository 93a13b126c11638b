"""The wires of a picture: arrows along gutters in the cells and lanes between the tiers, across no box on their way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crossfade.aws.diagram.place import Box, Point, Wire
from crossfade.aws.diagram.scene import Arrow

ABOVE = 5.0  # between a line and the label on it
BELOW = 24.0  # between a box and the label of a line that goes down from it
NEAR = 14.0  # between a cell's edge and the line along it
BESIDE = 7.0  # between a cell's edge and a line outside of it: half of what is between cells
DETOUR = 70.0  # room between columns of groups for lines that go around others
ASKED, COPIED = 0.36, 0.72  # where on its side a database is asked, and where it sends its copies


@dataclass(frozen=True, slots=True)
class Paper:
    """The boxes, and where between them is room for lines."""

    boxes: Mapping[str, Box]
    lane: float
    gutter: float
    aisle: tuple[float, float]

    def cell(self, one: Box) -> Box:
        """The subnet that a box stands in."""
        return self.boxes[one.inside]

    def tier(self, one: Box) -> Box:
        return self.boxes[self.cell(one).inside]


def wires(arrows: Sequence[Arrow], paper: Paper) -> Iterator[Wire]:
    """Every arrow with its way over the paper."""
    aside = [arrow for arrow in arrows if arrow.way == "side"]
    yield from _sideways(aside, paper)
    past = [arrow for arrow in arrows if paper.boxes[arrow.source].look == "open"]
    for arrow in arrows:
        source, target = paper.boxes[arrow.source], paper.boxes[arrow.target]
        if arrow.way == "serve":
            points = _serve(source, target, paper)
        elif arrow.way == "ask":
            points = _ask(source, target, paper)
        elif arrow.way == "out":
            points = _out(source, target, paper)
        elif arrow.way == "copy":
            points = _copy(source, target, paper)
        elif arrow.way == "enter" and source.look == "open":
            points = _around(source, target, paper.boxes["groups"], past.index(arrow) + 1, len(past))
        elif arrow.way == "enter":
            points = straight(source, target)
        else:
            continue
        yield _wire(arrow, points)


def _wire(arrow: Arrow, points: tuple[Point, ...]) -> Wire:
    """An arrow with its label: on a level piece, or beside a line that has none."""
    level = [pair for pair in pairwise(points) if pair[0][1] == pair[1][1]]
    if not level:
        (x, y), (_, end) = points[-2:]
        at = (x + ABOVE, y + min(BELOW, (end - y) / 2) + 4)
    else:
        # Those inside of the VPC run along with others and part from them at their end.
        longest = max(level, key=lambda pair: abs(pair[0][0] - pair[1][0]))
        (x, y), (end, _) = longest if arrow.way in {"enter", "side"} else level[-1]
        at = ((x + end) / 2, y - ABOVE)
    return Wire(source=arrow.source, target=arrow.target, points=points, way=arrow.way, label=arrow.label, at=at)


def straight(source: Box, target: Box) -> tuple[Point, ...]:
    """Down, up or across, through the middle of what both have in common."""
    left, right = max(source.x, target.x), min(source.right, target.right)
    if left < right:
        x = (left + right) / 2
        down = source.y < target.y
        return ((x, source.bottom), (x, target.y)) if down else ((x, source.y), (x, target.bottom))
    y = (max(source.y, target.y) + min(source.bottom, target.bottom)) / 2
    return (source.right, y), (target.x, y)


def _serve(source: Box, target: Box, paper: Paper) -> tuple[Point, ...]:
    x = paper.cell(target).x + NEAR
    y = target.middle[1]
    return (x, source.bottom), (x, y), (target.x, y)


def _ask(source: Box, target: Box, paper: Paper) -> tuple[Point, ...]:
    begin, end = source.middle[1], target.y + target.height * ASKED
    here, there = paper.cell(source).right - NEAR, paper.cell(target).right - NEAR
    if here == there:
        return (source.right, begin), (here, begin), (here, end), (target.right, end)
    lane = paper.tier(source).bottom + paper.lane / 2
    return (source.right, begin), (here, begin), (here, lane), (there, lane), (there, end), (target.right, end)


def _out(source: Box, target: Box, paper: Paper) -> tuple[Point, ...]:
    """From a subnet up to its NAT, or along the lane to that of another zone."""
    x = target.middle[0]
    if source.x < x < source.right:
        return (x, source.y), (x, target.bottom)
    lane = paper.boxes[source.inside].y - paper.lane / 2
    begin = source.middle[0]
    x += paper.gutter
    return (begin, source.y), (begin, lane), (x, lane), (x, target.bottom)


def _copy(source: Box, target: Box, paper: Paper) -> tuple[Point, ...]:
    """To the next zone, or below the subnets to one beyond it."""
    begin, end = source.y + source.height * COPIED, target.y + target.height * COPIED
    here, there = paper.cell(source), paper.cell(target)
    out, back = here.right + BESIDE, there.x - BESIDE
    if out == back:
        return (source.right, begin), (out, begin), (out, end), (target.x, end)
    lane = here.bottom + BESIDE
    return (source.right, begin), (out, begin), (out, lane), (back, lane), (back, end), (target.x, end)


def _around(source: Box, target: Box, frame: Box, number: int, count: int) -> tuple[Point, ...]:
    """Below all groups, because what it shows goes past the load balancer; the `number`th of `count` such lines."""
    share = number / (count + 1)
    out, back = source.right + DETOUR * share, target.x - DETOUR * share
    begin, end = source.middle[1], target.bottom - target.height / 2 * share
    lane = frame.bottom - 12 - 24 * (number - 1)
    return (source.right, begin), (out, begin), (out, lane), (back, lane), (back, end), (target.x, end)


def _sideways(arrows: Sequence[Arrow], paper: Paper) -> Iterator[Wire]:
    """Between a tier and what stands aside, in lanes of the aisle that do not cross each other: of lines that go down
    the upper ones turn first, of lines that go up the lower ones do.
    """
    across = [
        arrow
        for arrow in arrows
        if paper.boxes[arrow.target].look == "tier" or paper.boxes[arrow.source].look == "tier"
    ]
    ends = {arrow: _ends(arrow, paper) for arrow in across}
    across.sort(key=lambda arrow: ends[arrow][1].y)
    for arrow in arrows:
        if arrow not in ends:
            yield _wire(arrow, straight(paper.boxes[arrow.source], paper.boxes[arrow.target]))
    if not across:
        return
    tier = ends[across[0]][0]
    step = tier.height / (len(across) + 1)
    heights = {arrow: tier.y + step * (index + 1) for index, arrow in enumerate(across)}
    down = [arrow for arrow in across if ends[arrow][1].middle[1] < heights[arrow]]
    up = [arrow for arrow in reversed(across) if arrow not in down]
    left, right = paper.aisle
    for lanes in (down, up):
        for index, arrow in enumerate(lanes):
            _, box = ends[arrow]
            x = left + (right - left) * (index + 1) / (len(lanes) + 1)
            points = ((tier.right, heights[arrow]), (x, heights[arrow]), (x, box.middle[1]), (box.x, box.middle[1]))
            to_tier = paper.boxes[arrow.target].look == "tier"
            yield _wire(arrow, points[::-1] if to_tier else points)


def _ends(arrow: Arrow, paper: Paper) -> tuple[Box, Box]:
    """The tier and the box aside, whichever way the arrow points."""
    source, target = paper.boxes[arrow.source], paper.boxes[arrow.target]
    return (source, target) if source.look == "tier" else (target, source)
