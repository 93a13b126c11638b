"""Where visitors come in: the ports of the proxy whose place crossfade takes, else those of the service in front."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossfade.file.init.compose.judge.roles import Roles
from crossfade.file.init.compose.notes import Notes
from crossfade.file.init.compose.proxy.taken import Taken
from crossfade.file.init.compose.running import typed
from crossfade.file.init.compose.source.ports import HTTPS, Port, ports_of, published
from crossfade.file.init.todo import Rank, Todo
from crossfade.paths import from_folder
from crossfade.source.there import is_file


def listening(
    roles: Roles, proxies: Sequence[str], front: Sequence[Port], taken: Taken, *, notes: Notes, here: Path
) -> dict[str, Any]:
    """`listen` of our file, and `tls` where the proxy's certificate is there. `front` are ports of what answers, that
    of the service in front first; `here` is the folder of the new file.
    """
    of_proxies = [(name, port) for name in proxies for port in ports_of(roles.services[name])]
    entries = list(published([port for _, port in of_proxies])) or list(front)
    plain = next((port for port in entries if not _is_https(port)), None)
    secure = next((port for port in entries if _is_https(port) and not taken.no_https), None)
    listen: dict[str, Any] = {"http": plain.published if plain and plain.published else 80 if of_proxies else 8080}
    if plain is not None and plain.host:
        listen["host"] = "127.0.0.1" if plain.local and plain.host != "::1" else plain.host
        reach = "this machine alone reaches it" if plain.local else f"only at {plain.host}"
        notes.comments["", "listen"] = f"{reach}, as in the Compose file"
    for name, port in of_proxies:
        if port is not plain and port is not secure:
            unserved = "nothing of the proxy's files serves HTTPS" if taken.no_https and _is_https(port) else ""
            why = port.why or unserved or f"a file has one listener: {listen['http']}"
            notes.leave(("services", name, "ports", port.index), f"port {port.shown}", why)
    return _secured(listen, secure.published if secure else None, taken, notes, (roles.project.folder, here))


def _secured(
    listen: dict[str, Any], secure: int | None, taken: Taken, notes: Notes, folders: tuple[Path, Path]
) -> dict[str, Any]:
    folder, here = folders
    there = [bool(file) and is_file(from_folder(folder, file)) for file in (taken.certificate, taken.key)]
    if secure and all(there):
        paths = [typed(file, folder, here) for file in (taken.certificate, taken.key)]
        return {"listen": {**listen, "https": secure}, "tls": {"certificate": paths[0], "key": paths[1]}}
    if secure:
        named = f" (it was {taken.certificate})" if taken.certificate else ""
        what = f"give tls a certificate and a key{named}, and listen: {{https: {secure}}}: the proxy served HTTPS"
        notes.todos.append(Todo(Rank.NEVER_HEALTHY, "tls", what))
    return {"listen": listen["http"] if len(listen) == 1 else listen}


def _is_https(port: Port) -> bool:
    return port.published in HTTPS or port.target in HTTPS
