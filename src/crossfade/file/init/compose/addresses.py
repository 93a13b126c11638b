"""Values that name another service of the Compose file, where its name will not resolve."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.file.init.compose.judge.roles import Kind, Role
from crossfade.file.init.compose.judge.signs import LISTENS, store_in
from crossfade.file.init.compose.notes import Notes
from crossfade.file.init.compose.service import Carried
from crossfade.file.init.compose.source.ports import ports_of, published
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.todo import Rank, Todo

# This machine, as containers on Docker's own bridge see it.
HOST = "172.17.0.1"
_TOKEN = re.compile(r"(?<![\w.$-])([A-Za-z0-9][\w.-]*)(?::([0-9]{1,5}))?(?![\w-])")
_IS_ADDRESS = re.compile(
    r"HOST|ADDR|SERVER|URL|URI|ENDPOINT|BROKER|NODE|UPSTREAM|BACKEND|DSN|CONN|BOOTSTRAP|PEER|SEED|CLUSTER",
    re.IGNORECASE,
)
_IS_NAME = re.compile(
    r"USER|_NAME$|^NAME$|DATABASE$|_DB$|PASS|ENV|MODE|DRIVER|ENGINE|DIALECT|TYPE|PROVIDER|STORE$|CONNECTION$",
    re.IGNORECASE,
)


def named(variable: str, value: str, names: Mapping[str, str]) -> Iterator[tuple[str, str, int | None]]:
    """(name as written, service, port) of each service that the value gives as an address.

    `names` maps what a container is reached by (service, alias, container_name) to the service. In
    `redis://cache:6379/0`, `a:1,b:2` and `jdbc:postgresql://db/x` they are found by what is around them; a bare word
    counts when the variable's name is about an address: DB_HOST=db, but not POSTGRES_USER=db.
    """
    bare = value.strip() in names
    for token in _TOKEN.finditer(value):
        service = names.get(token[1])
        if service is None:
            continue
        before, after = value[: token.start()], value[token.end() :]
        in_url = before.endswith(("//", "@"))
        keyed = bool(re.search(r"(host|server|data source|addr\w*)\s*=\s*$", before, re.IGNORECASE))
        listed = bool(token[2]) and (not after or after[0] in ",;/ ?#&\"'")
        alone = (bare or _is_list(value)) and _is_about_address(variable, token[1])
        if (in_url and _ends_host(after)) or keyed or listed or alone:
            yield token[1], service, int(token[2]) if token[2] else None


def _ends_host(after: str) -> bool:
    return not after or (after[0] in "/:,?#;\"' " and not after.startswith(":@"))


def _is_list(value: str) -> bool:
    return "," in value and "=" not in value


def _is_about_address(variable: str, name: str) -> bool:
    if _IS_NAME.search(variable) and not re.search(r"HOST", variable, re.IGNORECASE):
        return False
    return bool(_IS_ADDRESS.search(variable)) or variable.lower().replace("_", "-") == name.lower().replace("_", "-")


def tell_addresses(
    project: Project, judged: Mapping[str, Role], carried: Mapping[str, Carried], file: dict[str, Any], notes: Notes
) -> None:
    """Tells of every variable that names another service what to write instead."""
    names = _names(judged, project)
    listen = file["listen"]
    for ours, one in carried.items():
        if ours not in file["services"]:
            continue
        told = set()
        for variable, value in one.variables.known.items():
            for word, service, port in named(variable, value, names):
                if (variable, service) in told or service == one.compose_name:
                    continue
                told.add((variable, service))
                instead = _instead(service, port, judged, project, listen)
                _tell(notes, one, ours, variable=variable, word=word, what=f"{service} {instead}")


def _names(judged: Mapping[str, Role], project: Project) -> dict[str, str]:
    """What containers of the Compose project reach each other by."""
    names: dict[str, str] = {}
    for name in judged:
        service = project.plain["services"][name]
        for alias in (service.get("container_name"), service.get("hostname"), name):
            if isinstance(alias, str) and alias:
                names[alias] = name
        networks = service.get("networks")
        for network in networks.values() if isinstance(networks, dict) else ():
            aliases = network.get("aliases") if isinstance(network, dict) else None
            names.update({str(alias): name for alias in aliases} if isinstance(aliases, list) else {})
    return names


def _instead(service: str, port: int | None, judged: Mapping[str, Role], project: Project, listen: Any) -> str:
    if judged[service].kind is Kind.SERVICE:
        at = listen if isinstance(listen, int) else listen.get("http", 8080)
        local = not isinstance(listen, int) and str(listen.get("host", "")).startswith("127.")
        but = "; listen must not be on loopback alone then" if local else ""
        return (
            f"is a service of this file, reached through the balancer; write http://{HOST}:{at} and a path of its"
            f" routes, or a host of its own{but}"
        )
    if judged[service].kind is Kind.PROXY:
        return f"is a proxy whose place crossfade takes; write http://{HOST} and the port that it listens on"
    stays = f"is a service of {project.called} that stays in Compose"
    entries = list(published(ports_of(project.plain["services"][service])))
    chosen = next((entry for entry in entries if entry.target == port), entries[0] if entries else None)
    if chosen is None or chosen.local:
        known = LISTENS.get(store_in(str(project.plain["services"][service].get("image") or "")), 0)
        inside = port or (chosen.target if chosen else known)
        if not inside:
            return f"{stays}; publish its port at {HOST}, and write that address"
        return f"{stays}; write {HOST}:{inside}, and publish it there: ports: ['{HOST}:{inside}:{inside}']"
    return f"{stays}; write {HOST}:{chosen.published}, where a container reaches it"


def _tell(notes: Notes, one: Carried, ours: str, *, variable: str, word: str, what: str) -> None:
    if variable in one.service.get("env", {}):
        key = f"env.{variable}"
    elif variable in one.service.get("secrets", []):
        key = f"secrets.{variable}"
    else:
        key = f"env_file.{variable}"
    value = one.service["env"][variable] if key.startswith("env.") else word
    notes.leave(("services", one.compose_name, "environment", variable), f"{variable}: {value}", what)
    notes.todos.append(Todo(Rank.NEVER_HEALTHY, f"services.{ours}.{key}", what))
    notes.comments[ours, key] = f"{word} does not resolve here"
