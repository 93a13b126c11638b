"""What is written: SVG that stands alone and is told to who cannot see it, and Mermaid that is well formed."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from tests.unit.aws.diagram.apps import SYSTEMS, apps, example

from crossfade.aws.diagram.environment import scene
from crossfade.aws.diagram.layout import layout
from crossfade.aws.diagram.mermaid import mermaid
from crossfade.aws.diagram.scene import Scene
from crossfade.aws.diagram.svg import svg
from crossfade.file.model import App

GOLDEN = Path(__file__).parents[3] / "golden" / "diagram"
SVG = "{http://www.w3.org/2000/svg}"
OFTEN = settings(max_examples=20)


def drawn(name: str, made: Scene) -> str:
    return svg(made, layout(made)) if name.endswith(".svg") else mermaid(made)


@pytest.mark.parametrize("name", [f"{system}.{form}" for system in SYSTEMS for form in ("svg", "mmd")])
def test_the_examples_are_drawn_as_before(name: str) -> None:
    """A change of a picture is seen in review; `crossfade diagram -e prod -f examples/... -o` writes it again."""
    assert drawn(name, scene(example(name.partition(".")[0]))) == (GOLDEN / name).read_text(encoding="utf-8")


@OFTEN
@given(app=apps())
def test_the_svg_is_well_formed_and_loads_nothing(app: App) -> None:
    """XML with a title and a description, and no address of anything else."""
    made = scene(app)
    text = svg(made, layout(made))
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "shop, prod"  # type: ignore[union-attr]
    assert made.summary in (root.find(f"{SVG}desc").text or "")  # type: ignore[union-attr]
    assert not re.search(r"(href|src|@import|url\((?!#))", text)


@OFTEN
@given(app=apps())
def test_the_svg_says_all_there_is(app: App) -> None:
    """Title and lines of every box, and every label."""
    made = scene(app)
    root = ET.fromstring(svg(made, layout(made)))
    said = " ".join(text.text or "" for text in root.iter(f"{SVG}text")).replace("\u00a0", " ")
    for node in made.nodes():
        assert node.title in said
        assert all(word in said for line in node.lines for word in line.split())
    assert all(arrow.label in said for arrow in made.arrows)


@OFTEN
@given(app=apps())
def test_the_mermaid_text_is_well_formed(app: App) -> None:
    """Frames are closed in order, ids are plain and defined once, arrows and classes name only those."""
    lines = mermaid(scene(app)).splitlines()
    assert (lines[0], lines[3], lines[4]) == ("---", "---", "flowchart TB")
    depth, ids = 0, []
    for line in map(str.strip, lines[5:]):
        if found := re.fullmatch(r'(?:subgraph )?(\w+) ?\["[^"\n]*"\]', line):
            ids.append(found[1])
        depth += line.startswith("subgraph ") - (line == "end")
        assert depth >= 0
    assert depth == 0
    assert len(set(ids)) == len(ids)
    for line in map(str.strip, lines):
        if found := re.fullmatch(r'(\w+) -\.?->(?:\|"[^"]*"\|)? (\w+)', line):
            assert {found[1], found[2]} <= set(ids)
        elif found := re.fullmatch(r"class ([\w,]+) \w+", line):
            assert set(found[1].split(",")) <= set(ids)
        else:
            assert "->" not in line
            assert not line.startswith("class ")
