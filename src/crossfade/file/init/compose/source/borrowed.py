"""What a service takes from elsewhere, written out where Compose gives it: volumes of another one, labels of a file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from crossfade.file.init.compose.source.merging import mount_target
from crossfade.file.reading.document import Written
from crossfade.file.reading.dotenv import read_variables
from crossfade.file.reading.problem import Problem, shown
from crossfade.paths import from_folder
from crossfade.source.there import is_file, why_no_file

_LISTED = ("volumes_from", "volumes")


def with_borrowed(
    root: Written, folder: Path, variables: Mapping[str, str], tell: Callable[[Problem], None]
) -> Written:
    """The files' tree with both; a file of labels that is not there is told, a container of others stays named."""
    services = root.get("services")
    if services is None or not isinstance(services.value, dict) or not isinstance(root.value, dict):
        return root
    known = {name: _labelled(one, folder, variables, tell) for name, one in services.value.items()}
    lent = {name: _lent(name, known, ()) for name in known}
    return replace(root, value={**root.value, "services": replace(services, value=lent)})


def _lent(name: str, services: Mapping[str, Written], above: tuple[str, ...]) -> Written:
    """The service with the volumes of those that it names, but for places where it has its own."""
    service = services[name]
    lenders, own = (service.get(key) for key in _LISTED)
    if lenders is None or not isinstance(lenders.value, list) or not isinstance(service.value, dict):
        return service
    mounts = list(own.value) if own is not None and isinstance(own.value, list) else []
    left = []
    for entry in lenders.value:
        other, _, mode = str(entry.value).partition(":")
        if other not in services or other in (*above, name):
            left.append(entry)
            continue
        volumes = _lent(other, services, (*above, name)).get("volumes")
        taken = {mount_target(mount) for mount in mounts}
        mounts += [one for one in _with_mode(volumes, mode) if mount_target(one) not in taken]
    value = {key: node for key, node in service.value.items() if key not in _LISTED}
    value |= {"volumes": replace(own or lenders, value=mounts)} if mounts else {}
    value |= {"volumes_from": replace(lenders, value=left)} if left else {}
    return replace(service, value=value)


def _with_mode(volumes: Written | None, mode: str) -> Iterator[Written]:
    for mount in volumes.value if volumes is not None and isinstance(volumes.value, list) else ():
        if mode != "ro":
            yield mount
        elif isinstance(mount.value, dict):
            yield replace(mount, value={**mount.value, "read_only": replace(mount, value=True)})
        else:
            text = str(mount.value)
            yield replace(mount, value=f"{text}:ro" if text.count(":") == 1 else text)


def _labelled(service: Written, folder: Path, variables: Mapping[str, str], tell: Callable[[Problem], None]) -> Written:
    """The service with the labels of its `label_file`, before which its own go."""
    named = service.get("label_file")
    if named is None or not isinstance(service.value, dict):
        return service
    found: dict[str, Written] = {}
    for node in named.value if isinstance(named.value, list) else [named]:
        file = from_folder(folder, str(node.value))
        if not is_file(file):
            tell(Problem(node.place, f"found {shown(str(node.value))}, {why_no_file(file)}", "an existing file"))
            continue
        found |= {
            name: replace(node, value=text.replace("$", "$$"), text=text)
            for name, text in read_variables(file, str(file), variables).items()
        }
    own = service.get("labels")
    labels = {**found, **(own.value if own is not None and isinstance(own.value, dict) else {})}
    value = {key: node for key, node in service.value.items() if key != "label_file"}
    return replace(service, value={**value, "labels": replace(own or named, value=labels)})
