"""A laid-out picture as SVG that stands alone: no fonts, styles or pictures from elsewhere."""

from collections.abc import Iterator
from html import escape

from crossfade.aws.diagram.layout import GUTTER, HEAD, INSET, MARGIN, Layout
from crossfade.aws.diagram.place import LINE, SIDE, TITLE, Box, Wire
from crossfade.aws.diagram.scene import Scene

_INK, _QUIET, _LINE = "#1b2733", "#51606e", "#5b6b7a"
_FONT = (
    "font-family=\"ui-sans-serif, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif\" font-size=\"11.5\""
)
# look -> (fill, border, stripe at the left)
_LOOKS = {
    "region": ("#fbfcfd", "#b9c4ce", ""),
    "vpc": ("#f5f8fb", "#8aa4bb", ""),
    "tier": ("#eef3f8", "#c3d1de", ""),
    "cell": ("#ffffff", "#c3d1de", ""),
    "groups": ("#fbfcfd", "#b9c4ce", ""),
    "edge": ("#f6f2fb", "#a58cc7", "#7a55ad"),
    "network": ("#f0f3fb", "#93a5d6", "#4a64b4"),
    "compute": ("#fdf3e8", "#dcae77", "#c4782a"),
    "data": ("#e9f4fb", "#84b3d3", "#1f6fa3"),
    "storage": ("#edf7ee", "#8fc096", "#39814a"),
    "watch": ("#fbeff4", "#d697b1", "#b04070"),
    "group": ("#ffffff", "#8a97a3", "#5b6b7a"),
    "open": ("#fdeceb", "#d9827c", "#b3261e"),
}
_COLOURS = {"serve": "#c4782a", "ask": "#1f6fa3", "copy": "#1f6fa3", "out": "#4a64b4", "side": "#39814a"}
_OPEN = "#b3261e"
_FRAMES = frozenset({"region", "vpc", "tier", "cell", "groups"})


def svg(scene: Scene, laid: Layout) -> str:
    """The whole text."""
    size = f'viewBox="0 0 {laid.width:g} {laid.height:g}" width="{laid.width:g}" height="{laid.height:g}"'
    frames = [box for look in ("region", "vpc", "tier", "cell", "groups") for box in laid.boxes if box.look == look]
    nodes = [box for box in laid.boxes if box.look not in _FRAMES]
    opened = {box.id for box in nodes if box.look == "open"}
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc" {_FONT}>',
            f'<title id="title">{escape(scene.title)}</title>',
            f'<desc id="desc">{escape(_described(scene))}</desc>',
            *_heads(),
            f'<rect width="{laid.width:g}" height="{laid.height:g}" fill="#ffffff"/>',
            _text(MARGIN, 42, scene.title, f'font-size="22" font-weight="600" fill="{_INK}"'),
            _text(MARGIN, HEAD - 20, scene.summary, f'font-size="13" fill="{_QUIET}"'),
            *(part for box in frames for part in _frame(box)),
            *(_line(wire, _colour(wire, opened)) for wire in laid.wires),
            *(part for box in nodes for part in _node(box)),
            *(_label(wire, _colour(wire, opened)) for wire in laid.wires if wire.label),
            "</svg>\n",
        ]
    )


def _described(scene: Scene) -> str:
    """For who does not see it: what is there, and who reaches whom."""
    titles = {node.id: node.title for node in scene.nodes()}
    ways = [
        f"{titles[arrow.source]} to {titles[arrow.target]}{f' on {arrow.label}' if arrow.label else ''}"
        for arrow in scene.arrows
        if arrow.source in titles and arrow.target in titles
    ]
    return f"{scene.summary}. {'; '.join(dict.fromkeys(ways))}."


def _heads() -> Iterator[str]:
    yield "<defs>"
    for colour in sorted({*_COLOURS.values(), _LINE, _OPEN}):
        yield (
            f'<marker id="to-{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 L7.5 4 L0 7.5 z" fill="{colour}"/></marker>'
        )
    yield "</defs>"


def _frame(box: Box) -> Iterator[str]:
    fill, border, _ = _LOOKS[box.look]
    yield _rectangle(box, f'rx="6" fill="{fill}" stroke="{border}"')
    weight = 'font-weight="600" ' if box.look != "cell" else ""
    # In tiers and cells right of the line that comes down from the load balancer.
    x = box.x + {"tier": INSET + GUTTER, "cell": GUTTER}.get(box.look, SIDE)
    yield _text(x, box.y + 19, box.title, f'{weight}fill="{_QUIET}"')


def _node(box: Box) -> Iterator[str]:
    fill, border, stripe = _LOOKS[box.look]
    dashed = ' stroke-dasharray="5 4"' if box.idle else ""
    yield _rectangle(box, f'rx="4" fill="{"#ffffff" if box.idle else fill}" stroke="{border}"{dashed}')
    if not box.idle:
        yield f'<rect x="{box.x:g}" y="{box.y:g}" width="4" height="{box.height:g}" rx="2" fill="{stripe}"/>'
    text = TITLE + LINE * len(box.lines)
    y = box.y + (box.height - text) / 2 + 13
    yield _text(box.x + SIDE, y, box.title, f'font-size="13" font-weight="600" fill="{_QUIET if box.idle else _INK}"')
    for number, line in enumerate(box.lines, start=1):
        yield _text(box.x + SIDE, y + 2 + LINE * number, line, f'fill="{_QUIET}"')


def _rectangle(box: Box, look: str) -> str:
    return f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" {look}/>'


def _colour(wire: Wire, opened: set[str]) -> str:
    return _OPEN if wire.source in opened else _COLOURS.get(wire.way, _LINE)


def _line(wire: Wire, colour: str) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in wire.points)
    dashed = ' stroke-dasharray="5 4"' if wire.way == "copy" else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-linejoin="round"{dashed} '
        f'marker-end="url(#to-{colour[1:]})"/>'
    )


def _label(wire: Wire, colour: str) -> str:
    """On a white edge, so that it can be read where a line passes."""
    upright = wire.points[-2][0] == wire.points[-1][0] and len(wire.points) == 2  # noqa: PLR2004 - two ends
    anchor = "" if upright else 'text-anchor="middle" '
    edge = 'stroke="#ffffff" stroke-width="3" paint-order="stroke" '
    return _text(*wire.at, wire.label, f'{anchor}{edge}font-size="11" font-weight="600" fill="{colour}"')


def _text(x: float, y: float, text: str, look: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" {look}>{escape(text)}</text>'
