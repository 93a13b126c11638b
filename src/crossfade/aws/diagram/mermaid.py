"""A picture as Mermaid text: GitHub, GitLab and many editors draw it. https://mermaid.js.org/syntax/flowchart.html"""

from collections.abc import Iterator

from crossfade.aws.diagram.scene import Arrow, Node, Scene, Tier

_FRAME = "fill:#f5f8fb,stroke:#8aa4bb,color:#1b2733"
_CELL = "fill:#ffffff,stroke:#c3d1de,color:#1b2733"
_CLASSES = {
    "edge": "fill:#f6f2fb,stroke:#7a55ad,color:#1b2733",
    "network": "fill:#f0f3fb,stroke:#4a64b4,color:#1b2733",
    "compute": "fill:#fdf3e8,stroke:#c4782a,color:#1b2733",
    "data": "fill:#e9f4fb,stroke:#1f6fa3,color:#1b2733",
    "storage": "fill:#edf7ee,stroke:#39814a,color:#1b2733",
    "watch": "fill:#fbeff4,stroke:#b04070,color:#1b2733",
    "group": "fill:#ffffff,stroke:#5b6b7a,color:#1b2733",
    "open": "fill:#fdeceb,stroke:#b3261e,color:#1b2733",
    "idle": "stroke-dasharray:5 4",
}


def mermaid(scene: Scene) -> str:
    """The whole text."""
    return "\n".join([*_opening(scene), *_boxes(scene), *map(_arrow, scene.arrows), *_styles(scene)]) + "\n"


def _opening(scene: Scene) -> Iterator[str]:
    yield "---"
    yield f"title: {_quoted(scene.title)}"
    yield "config: {flowchart: {nodeSpacing: 24, rankSpacing: 36, wrappingWidth: 280}}"
    yield "---"
    yield "flowchart TB"
    yield f"  accTitle: {_line(scene.title)}"
    yield f"  accDescr: {_line(scene.summary)}"


def _boxes(scene: Scene) -> Iterator[str]:
    for node in (scene.visitors, *scene.entrance, *([scene.site] if scene.site else [])):
        yield _node(node, 1)
    yield f"  subgraph region [{_quoted(scene.region)}]"
    yield f"    subgraph vpc [{_quoted(scene.vpc)}]"
    for tier in scene.tiers:
        yield from _tier(tier)
    yield "    end"
    yield from (_node(node, 2) for node in scene.aside)
    yield "  end"
    yield '  subgraph groups ["Security groups: who may reach whom"]'
    yield "    direction LR"
    yield from (_node(node, 2) for column in scene.groups for node in column)
    yield "  end"


def _tier(tier: Tier) -> Iterator[str]:
    yield f"      subgraph {_id(tier.id)} [{_quoted(tier.title)}]"
    yield from (_node(node, 4) for node in tier.across)
    for cell in tier.cells:
        if not cell.nodes:  # an empty subgraph is an error in some versions
            yield f"        {_id(cell.id)}[{_quoted(cell.title)}]"
            continue
        yield f"        subgraph {_id(cell.id)} [{_quoted(cell.title)}]"
        yield from (_node(node, 5) for node in cell.nodes)
        yield "        end"
    yield "      end"


def _node(node: Node, depth: int) -> str:
    text = "<br/>".join([node.title, *node.lines])
    return f"{'  ' * depth}{_id(node.id)}[{_quoted(text)}]"


def _arrow(arrow: Arrow) -> str:
    line = "-.->" if arrow.way == "copy" else "-->"
    label = f"|{_quoted(arrow.label)}| " if arrow.label else ""
    return f"  {_id(arrow.source)} {line}{label or ' '}{_id(arrow.target)}"


def _styles(scene: Scene) -> Iterator[str]:
    nodes = tuple(scene.nodes())
    of = {kind: [node.id for node in nodes if node.kind == kind and not node.idle] for kind in _CLASSES}
    of["idle"] = [node.id for node in nodes if node.idle]
    frames = ["region", "vpc", "groups", *(_id(tier.id) for tier in scene.tiers)]
    cells = [_id(cell.id) for tier in scene.tiers for cell in tier.cells]
    for name, style, ids in (("frame", _FRAME, frames), ("cell", _CELL, cells)):
        yield f"  classDef {name} {style}"
        yield f"  class {','.join(ids)} {name}"
    for kind, style in _CLASSES.items():
        if of[kind]:
            yield f"  classDef {kind} {style}"
            yield f"  class {','.join(map(_id, of[kind]))} {kind}"


def _id(name: str) -> str:
    """With a letter in front, as `end` has a meaning of its own, and without hyphens, as arrows consist of them."""
    return f"n_{name.replace('-', '_')}"


def _quoted(text: str) -> str:
    """Text in quotes, with what would end it or mean something as entities."""
    safe = text.replace("&", "&amp;").replace('"', "&quot;").replace("#", "&#35;")
    return f'"{safe}"'


def _line(text: str) -> str:
    return text.replace("\n", " ").replace(";", ",")
