"""The chain of security groups: who may reach whom on which ports."""

from collections.abc import Iterator

from crossfade.aws.diagram.scene import Arrow, Node
from crossfade.aws.resources.expect import expected
from crossfade.aws.resources.resource import Resource
from crossfade.file.model import App

_RULE = "aws_vpc_security_group_ingress_rule"
# Group -> (how far inside it is, what is written on it). Others guard nothing that is drawn.
_GROUPS = {
    "alb": (1, "load balancer"),
    "app": (2, "application"),
    "database": (3, "database"),
    "cache": (3, "cache"),
}
_WORLD = "0.0.0.0/0"

Columns = tuple[tuple[Node, ...], ...]


def groups(app: App) -> tuple[Columns, tuple[Arrow, ...]]:
    """Columns from the outside in, and an arrow for each pair that may talk.

    From the rules that a plan will have, so that the picture shows what is open and not what was meant.
    """
    columns: tuple[dict[str, Node], ...] = ({}, {}, {}, {})
    ports: dict[tuple[Node, Node], set[int]] = {}
    for source, target, port in _allowed(app):
        begin = _inside(source) if source in _GROUPS else _outside(source, target)
        for node, name in ((begin, source), (_inside(target), target)):
            columns[_GROUPS[name][0] if name in _GROUPS else 0][node.id] = node
        ports.setdefault((begin, _inside(target)), set()).add(port)
    arrows = (
        Arrow(source=source.id, target=target.id, label=", ".join(map(str, sorted(numbers))))
        for (source, target), numbers in ports.items()
    )
    return tuple(tuple(column.values()) for column in columns if column), tuple(arrows)


def _allowed(app: App) -> Iterator[tuple[str, str, int]]:
    """(network or group, group, port) of each rule."""
    for rule in expected(app):
        if rule.type == _RULE and (target := _named(rule, "security_group_id")) in _GROUPS:
            source = rule.values.get("cidr_ipv4") or _named(rule, "referenced_security_group_id")
            yield source, target, rule.values["from_port"]


def _named(rule: Resource, key: str) -> str:
    """`database` of module.security_groups.aws_security_group.database[0]."""
    return rule.refers[key][0].rpartition(".")[2].partition("[")[0]


def _inside(group: str) -> Node:
    return Node(id=f"group-{group}", title=_GROUPS[group][1], lines=("security group",), kind="group")


def _outside(network: str, target: str) -> Node:
    """A network that reaches different groups is a box for each, because past the load balancer is another thing."""
    title, name = ("anywhere", network) if network == _WORLD else (network, "")
    past = target != "alb"
    lines = tuple(filter(None, (name, "past the load balancer" if past else "")))
    number = network.translate(str.maketrans("./", "--"))
    return Node(id=f"outside-{number}-{target}", title=title, lines=lines, kind="open" if past else "edge")
