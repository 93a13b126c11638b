"""The picture on paper: nothing overlaps, everything is inside of what it belongs to, every arrow ends at a box."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from tests.unit.aws.diagram.apps import SYSTEMS, apps, example

from crossfade.aws.diagram.environment import scene
from crossfade.aws.diagram.layout import Layout, layout
from crossfade.aws.diagram.place import LETTER, SIDE, Box, Point, Wire
from crossfade.file.model import App

FRAMES = {"region", "vpc", "tier", "cell", "groups"}
OFTEN = settings(max_examples=20)


def laid(app: App) -> Layout:
    return layout(scene(app))


def overlap(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def on_edge(point: Point, box: Box) -> bool:
    x, y = point
    inside = box.x <= x <= box.right and box.y <= y <= box.bottom
    return inside and (x in (box.x, box.right) or y in (box.y, box.bottom))


def through(wire: Wire, box: Box) -> bool:
    """True when a piece of the line lies inside of the box."""
    return any(
        min(x1, x2) < box.right and box.x < max(x1, x2) and box.y < y1 < box.bottom
        if y1 == y2
        else min(y1, y2) < box.bottom and box.y < max(y1, y2) and box.x < x1 < box.right
        for (x1, y1), (x2, y2) in pairwise(wire.points)
    )


@OFTEN
@given(app=apps())
def test_boxes_of_one_frame_never_overlap(app: App) -> None:
    """Whatever an environment consists of."""
    levels: dict[str, list[Box]] = {}
    for box in laid(app).boxes:
        levels.setdefault(box.inside, []).append(box)
    assert [pair for boxes in levels.values() for pair in combinations(boxes, 2) if overlap(*pair)] == []


@OFTEN
@given(app=apps())
def test_everything_is_inside_of_its_frame(app: App) -> None:
    """A box in its subnet, a subnet in its tier, all on the paper; and each is there once."""
    paper = laid(app)
    boxes = {box.id: box for box in paper.boxes}
    assert len(boxes) == len(paper.boxes)
    whole = Box(id="", look="region", x=0, y=0, width=paper.width, height=paper.height, title="")
    for box in paper.boxes:
        frame = boxes.get(box.inside, whole)
        assert frame.x <= box.x, box.id
        assert box.right <= frame.right, box.id
        assert frame.y <= box.y, box.id
        assert box.bottom <= frame.bottom, box.id


@OFTEN
@given(app=apps())
def test_every_arrow_is_drawn_from_box_to_box(app: App) -> None:
    """It begins on the edge of its source and ends on that of its target, and turns at right angles."""
    drawn = scene(app)
    paper = layout(drawn)
    boxes = {box.id: box for box in paper.boxes}
    assert sorted((wire.source, wire.target) for wire in paper.wires) == sorted(
        (arrow.source, arrow.target) for arrow in drawn.arrows
    )
    for wire in paper.wires:
        assert on_edge(wire.points[0], boxes[wire.source]), wire
        assert on_edge(wire.points[-1], boxes[wire.target]), wire
        assert all(x1 == x2 or y1 == y2 for (x1, y1), (x2, y2) in pairwise(wire.points)), wire


@OFTEN
@given(app=apps())
def test_no_arrow_runs_through_a_box(app: App) -> None:
    """It may cross the edge of a frame, never a box with text."""
    paper = laid(app)
    nodes = [box for box in paper.boxes if box.look not in FRAMES]
    assert [(wire.source, wire.target, box.id) for wire in paper.wires for box in nodes if through(wire, box)] == []


@OFTEN
@given(app=apps())
def test_text_fits_into_its_box(app: App) -> None:
    """Unless it is one word that is longer."""
    for box in laid(app).boxes:
        for line in box.lines:
            assert len(line) * LETTER <= box.width - 2 * SIDE or " " not in line


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_examples_are_as_wide_as_a_page(system: str) -> None:
    """Two zones fit into 1200 pixels."""
    assert laid(example(system)).width <= 1200
