"""The merging of Compose files: how one is laid over another, each key by its own rule."""

from collections.abc import Iterator
from dataclasses import replace

from crossfade.file.reading.document import Written

RESET = "!reset"
OVERRIDE = "!override"
TAGS = (RESET, OVERRIDE)

_KEYED = frozenset({"environment", "labels", "args", "extra_hosts", "annotations", "sysctls"})
_NAMED = frozenset({"depends_on", "networks"})  # a list of names is short for a mapping
_REPLACED = frozenset({"command", "entrypoint", "test"})
_BY_TARGET = frozenset({"volumes", "devices"})
_LISTED = frozenset({"env_file", "label_file", "tmpfs", "dns", "dns_search"})  # one text is short for a list of it


def normal(service: Written) -> Written:
    """A service whose short forms are written out, so that two of them can be merged key by key."""
    if not isinstance(service.value, dict):
        return service
    value = {}
    for key, node in service.value.items():
        if key == "build":
            value[key] = _normal_build(node)
        elif key in _KEYED:
            value[key] = _keyed(node)
        elif key in _LISTED and isinstance(node.value, str):
            value[key] = replace(node, value=[node])
        elif key in _NAMED and isinstance(node.value, list):
            value[key] = replace(node, value={str(item.value): replace(item, value=None) for item in node.value})
        else:
            value[key] = node
    return replace(service, value=_with_labels_of_deploy(value))


def merged(base: Written, over: Written, key: str = "") -> Written:
    """`over` laid over `base`; both are in their normal form. `key` is what they are the values of."""
    if over.tag == OVERRIDE or key in _REPLACED:
        return over
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        value = dict(base.value)
        for name, node in over.value.items():
            if node.tag == RESET:
                value.pop(name, None)
            elif name in value and node.value is not None:
                value[name] = merged(value[name], node, name)
            elif name not in value or key in _KEYED:
                value[name] = node
        return replace(over, value=value, place=base.place)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return replace(over, value=list(_joined(base.value, over.value, key)), place=base.place)
    return over


def without_reset(node: Written) -> Written:
    """The tree without what is marked `!reset`, for a file that nothing is laid over."""
    if isinstance(node.value, dict):
        return replace(node, value={key: without_reset(item) for key, item in node.value.items() if item.tag != RESET})
    return node


def _joined(base: list[Written], over: list[Written], key: str) -> Iterator[Written]:
    """The items of both; a mount at the same place is replaced, and the same item twice is one."""
    if key in _BY_TARGET:
        replaced = {mount_target(item) for item in over}
        base = [item for item in base if mount_target(item) not in replaced]
    seen: set[str] = set()
    for item in (*base, *over):
        known = repr(item.plain())
        if known not in seen:
            seen.add(known)
            yield item


def mount_target(mount: Written) -> str:
    """Where an entry of `volumes` is mounted."""
    if isinstance(mount.value, dict):
        target = mount.get("target")
        return str(target.value) if target is not None else ""
    parts = str(mount.value).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _normal_build(node: Written) -> Written:
    if isinstance(node.value, str):
        return replace(node, value={"context": node})
    return normal(node)


def _with_labels_of_deploy(service: dict[str, Written]) -> dict[str, Written]:
    """Swarm's labels stand below `deploy`, and say the same."""
    deploy = service.get("deploy")
    labels = deploy.get("labels") if deploy is not None else None
    if deploy is None or labels is None or not isinstance((below := _keyed(labels)).value, dict):
        return service
    own = service.get("labels")
    names = {**below.value, **(own.value if own is not None and isinstance(own.value, dict) else {})}
    return {**service, "deploy": deploy.without("labels"), "labels": replace(own or below, value=names)}


def _keyed(node: Written) -> Written:
    """`[NAME=value, OTHER]` as the mapping it stands for; a name without `=` has no value. Hosts may use a colon."""
    if not isinstance(node.value, list):
        return node
    if any(isinstance(item.value, dict | list) for item in node.value):
        return node  # which is told
    value: dict[str, Written] = {}
    for item in node.value:
        name, equals, text = str(item.value).partition("=")
        if not equals and str(node.place.keys[-1:]) == "('extra_hosts',)":
            name, equals, text = name.partition(":")
        value[name] = replace(item, value=text if equals else None, text=text)
    return replace(node, value=value)
