"""The layout of a picture: the way in on top, the VPC and the region's boxes, security groups below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossfade.aws.diagram.place import Box, Wire, box, height
from crossfade.aws.diagram.scene import NAMES, Node, Scene, Tier
from crossfade.aws.diagram.wires import Paper, wires

NARROWEST = 1200.0
MARGIN = 24.0
HEAD = 84.0  # title and summary
INSET = 14.0  # between a frame and what is in it
CAPTION = 28.0  # a frame's title
BETWEEN = 14.0  # boxes of one frame
LANE = 36.0  # between tiers, for lines that change the column
GUTTER = 54.0  # left and right in a cell, for lines that pass
ASIDE = 270.0
AISLE = 78.0  # between the VPC and what stands aside
STEP = 42.0  # between boxes of the way in
ENTRY, VISITORS = 290.0, 180.0
GROUP = 190.0
THINNEST_CELL = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def layout(scene: Scene) -> Layout:
    """The picture on paper. Boxes of one frame never overlap; every line ends at a box."""
    zones = len(scene.tiers[0].cells)
    room = NARROWEST - 2 * MARGIN - 2 * INSET - ASIDE - AISLE - 4 * INSET
    cell = max(THINNEST_CELL, (room - BETWEEN * (zones - 1)) / zones)
    vpc_width = zones * cell + BETWEEN * (zones - 1) + 4 * INSET
    width = 2 * MARGIN + 2 * INSET + vpc_width + AISLE + ASIDE
    left = MARGIN + INSET

    entrance = list(_entrance(scene, left, left + vpc_width / 2, left + vpc_width + AISLE))
    top = max(one.bottom for one in entrance) + STEP
    tiers = list(_tiers(scene.tiers, left + INSET, top + 2 * CAPTION, cell))
    vpc = Box(
        id="vpc",
        look="vpc",
        x=left,
        y=top + CAPTION,
        width=vpc_width,
        height=tiers[-1].bottom + INSET - top - CAPTION,
        title=scene.vpc,
        inside="region",
    )
    aside = list(_aside(scene.aside, vpc.right + AISLE, vpc.y))
    below = max([vpc.bottom, *(one.bottom for one in aside)]) + INSET
    region = Box(
        id="region",
        look="region",
        x=MARGIN,
        y=top,
        width=width - 2 * MARGIN,
        height=below - top,
        title=scene.region,
    )
    groups = list(_groups(scene.groups, MARGIN, below + STEP / 2, width - 2 * MARGIN))

    boxes = (region, vpc, *tiers, *aside, *entrance, *groups)
    paper = Paper({one.id: one for one in boxes}, lane=LANE, gutter=GUTTER, aisle=(vpc.right, vpc.right + AISLE))
    return Layout(width=width, height=groups[0].bottom + MARGIN, boxes=boxes, wires=tuple(wires(scene.arrows, paper)))


def _entrance(scene: Scene, left: float, centre: float, right: float) -> Iterator[Box]:
    """Names beside visitors, then downwards to the load balancer; the site's CDN stands above the site's bucket.

    What visitors or names point to from the side has nothing between: the first row has these three alone.
    """
    y = HEAD
    named = any(node.id == NAMES for node in scene.entrance)
    steps = scene.entrance if named else (scene.visitors, *scene.entrance)
    tallest = max(height(node, ENTRY) for node in (scene.visitors, steps[0], *([scene.site] if scene.site else [])))
    if steps[0] is not scene.visitors:
        yield box(scene.visitors, left, y, VISITORS, tall=tallest)
    for index, node in enumerate(steps):
        yield (one := box(node, centre - ENTRY / 2, y, ENTRY, tall=None if index else tallest))
        y = one.bottom + STEP
    if scene.site is not None:
        yield box(scene.site, right, HEAD, ASIDE, tall=max(tallest, height(scene.site, ASIDE)))


def _tiers(tiers: Sequence[Tier], x: float, y: float, cell: float) -> Iterator[Box]:
    for tier in tiers:
        inside = list(_tier(tier, x + INSET, y + CAPTION, cell))
        cells = len(tier.cells)
        width = cells * cell + BETWEEN * (cells - 1) + 2 * INSET
        yield from inside
        bottom = max(one.bottom for one in inside) + INSET
        yield Box(id=tier.id, look="tier", x=x, y=y, width=width, height=bottom - y, title=tier.title, inside="vpc")
        y = bottom + LANE


def _tier(tier: Tier, x: float, y: float, width: float) -> Iterator[Box]:
    count = len(tier.cells)
    for node in tier.across:
        yield (one := box(node, x, y, count * width + BETWEEN * (count - 1), inside=tier.id))
        y = one.bottom + BETWEEN
    inner = width - 2 * GUTTER
    tall = max(CAPTION + sum(height(node, inner) + BETWEEN for node in cell.nodes) for cell in tier.cells)
    for cell in tier.cells:
        yield Box(id=cell.id, look="cell", x=x, y=y, width=width, height=tall, title=cell.title, inside=tier.id)
        below = y + CAPTION
        for node in cell.nodes:
            yield (one := box(node, x + GUTTER, below, inner, inside=cell.id))
            below = one.bottom + BETWEEN
        x += width + BETWEEN


def _aside(nodes: Sequence[Node], x: float, y: float) -> Iterator[Box]:
    for node in nodes:
        yield (one := box(node, x, y, ASIDE, inside="region"))
        y = one.bottom + BETWEEN


def _groups(columns: Sequence[Sequence[Node]], x: float, y: float, width: float) -> Iterator[Box]:
    """The frame, then its columns; a column with one box is as tall as the tallest."""
    each = max(height(node, GROUP) for column in columns for node in column)
    rows = max(len(column) for column in columns)
    tall = rows * each + (rows - 1) * BETWEEN
    detours = sum(node.kind == "open" for node in columns[0])
    bottom = y + CAPTION + tall + INSET + detours * BETWEEN * 2
    yield Box(
        id="groups",
        look="groups",
        x=x,
        y=y,
        width=width,
        height=bottom - y,
        title="Security groups: who may reach whom",
    )
    step = (width - 2 * INSET - GROUP) / (len(columns) - 1)
    for index, column in enumerate(columns):
        top = y + CAPTION
        for node in column:
            one = box(
                node, x + INSET + index * step, top, GROUP, inside="groups", tall=tall if len(column) == 1 else each
            )
            yield one
            top = one.bottom + BETWEEN
